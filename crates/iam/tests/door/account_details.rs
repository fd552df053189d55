//! GetAccountAuthorizationDetails where an account keeps much: no page grows with it, and none skips anything.

use crate::node::Node;

/// What stands between these tags, wherever they are.
fn all(body: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    body.split(&open).skip(1).filter_map(|rest| rest.split_once(&close).map(|(text, _)| text.to_owned())).collect()
}

/// White space does not count against the size of a policy, and comes back with it.
#[tokio::test]
async fn a_page_of_long_documents_ends_early_and_the_next_skips_nothing() {
    let node = Node::new().await;
    let wide = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
    let wide = wide.replace(',', &format!(",{:40000}", ""));
    let mut wanted = Vec::new();
    for nth in 0..15 {
        let user = format!("user-{nth:02}");
        assert_eq!(node.ask(&node.root, "CreateUser", &[("UserName", &user)]).await.status, 200);
        let said = node.ask(&node.root, "PutUserPolicy", &[("UserName", &user), ("PolicyName", "wide"), ("PolicyDocument", &wide)]).await;
        assert_eq!(said.status, 200, "{}", said.body);
        let policy = format!("policy-{nth:02}");
        let said = node.ask(&node.root, "CreatePolicy", &[("PolicyName", &policy), ("PolicyDocument", &wide)]).await;
        assert_eq!(said.status, 200, "{}", said.body);
        wanted.extend([user, policy]);
    }
    wanted.sort();
    let (mut shown, mut pages, mut marker) = (Vec::new(), 0, None::<String>);
    loop {
        let mut parameters = vec![("MaxItems", "1000")];
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let said = node.ask(&node.root, "GetAccountAuthorizationDetails", &parameters).await;
        assert_eq!(said.status, 200, "{}", said.body);
        assert!(said.body.len() < 5_000_000, "{}", said.body.len());
        pages += 1;
        shown.extend(all(&said.body, "UserName"));
        shown.extend(all(&said.body, "PolicyName").into_iter().filter(|name| name != "wide"));
        marker = all(&said.body, "Marker").pop();
        assert_eq!(all(&said.body, "IsTruncated"), [marker.is_some().to_string()]);
        if marker.is_none() {
            break;
        }
    }
    shown.sort();
    assert_eq!(shown, wanted);
    assert!(pages >= 3, "{pages}");
}
