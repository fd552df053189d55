//! Whatever is read as an ARN or an id is shown as it was read, and nothing panics.

use arn::{AccessKeyId, AccountId, Arn, UniqueId};

#[test]
fn fuzz_names() {
    bolero::check!().with_type::<String>().for_each(|text| {
        // Random texts are hardly ever ARNs: one of the two begins as one.
        for text in [text.clone(), format!("arn:aws:{text}:::")] {
            read(&text);
        }
    });
}

fn read(text: &str) {
    if let Ok(arn) = text.parse::<Arn>() {
        assert_eq!(arn.as_str(), text);
        assert_eq!(arn.to_string().parse::<Arn>().as_ref(), Ok(&arn));
        let parts = [arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource()];
        assert_eq!(format!("arn:{}", parts.join(":")), text);
    }
    if let Ok(id) = text.parse::<AccessKeyId>() {
        assert_eq!(id.as_str(), text);
        let _ = (id.account(), id.is_temporary());
    }
    if let Ok(id) = text.parse::<UniqueId>() {
        assert_eq!(id.as_str(), text);
    }
    if let Ok(account) = text.parse::<AccountId>() {
        assert_eq!(account.to_string(), text);
    }
}
