//! GetAccountAuthorizationDetails where an account keeps much: no page grows with it, and none skips anything.

use crate::node::Node;

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
        shown.extend(said.all("UserName"));
        shown.extend(said.all("PolicyName").into_iter().filter(|name| name != "wide"));
        marker = said.all("Marker").pop();
        assert_eq!(said.all("IsTruncated"), [marker.is_some().to_string()]);
        if marker.is_none() {
            break;
        }
    }
    shown.sort();
    assert_eq!(shown, wanted);
    assert!(pages >= 3, "{pages}");
}
