//! A small client, to fill a server with what is measured.

use crate::Problem;
use crate::load::{Connection, runtime};
use crate::sign::{Key, query};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The text of the first element of this name.
pub fn element(xml: &str, name: &str) -> Result<String, Problem> {
    let (_, after) = xml.split_once(&format!("<{name}>")).ok_or_else(|| format!("no {name} in {xml}"))?;
    let (text, _) = after.split_once("</").ok_or("an element does not end")?;
    Ok(text.replace("&amp;", "&"))
}

/// The access key, or the session, that an answer holds.
pub fn credentials(xml: &str) -> Result<Key, Problem> {
    Ok(Key { id: element(xml, "AccessKeyId")?, secret: element(xml, "SecretAccessKey")?, token: element(xml, "SessionToken").ok() })
}

/// One call that must succeed.
pub async fn call(connection: &mut Connection, host: &str, service: &str, body: &str, key: &Key) -> Result<String, Problem> {
    let answer = connection.succeed(&query(host, service, body, key)).await.map_err(|problem| format!("{body}: {problem}"))?;
    Ok(String::from_utf8(answer.to_vec())?)
}

/// Makes `count` users with a key and a policy each; answers their keys.
pub fn users(address: SocketAddr, key: &Key, count: usize, policy: &str) -> Result<Vec<Key>, Problem> {
    let (key, policy) = (Arc::new(key.clone()), Arc::new(encoded(policy)));
    let numbers = Arc::new(AtomicUsize::new(0));
    runtime()?.block_on(async {
        let mut tasks = Vec::new();
        for _ in 0..64 {
            let (key, policy, numbers) = (key.clone(), policy.clone(), numbers.clone());
            tasks.push(tokio::spawn(async move {
                let host = address.to_string();
                let mut connection = Connection::open(address).await?;
                let mut made = Vec::new();
                loop {
                    let nth = numbers.fetch_add(1, Ordering::Relaxed);
                    if nth >= count {
                        return Ok::<_, Problem>(made);
                    }
                    let user = format!("UserName=caller-{nth}&Version=2010-05-08");
                    call(&mut connection, &host, "iam", &format!("Action=CreateUser&{user}"), &key).await?;
                    let put = format!("Action=PutUserPolicy&{user}&PolicyName=p&PolicyDocument={policy}");
                    call(&mut connection, &host, "iam", &put, &key).await?;
                    let answer = call(&mut connection, &host, "iam", &format!("Action=CreateAccessKey&{user}"), &key).await?;
                    made.push(credentials(&answer)?);
                }
            }));
        }
        let mut all = Vec::with_capacity(count);
        for task in tasks {
            all.extend(task.await??);
        }
        Ok(all)
    })
}

/// Percent-encoded, for a form.
pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
