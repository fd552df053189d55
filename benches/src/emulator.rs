//! The same calls to moto_server, the emulator that most tests are run against. It checks nothing; Bailiwick checks everything.

use crate::Problem;
use crate::client::{call, credentials, encoded};
use crate::load::{Connection, run, run_fresh, runtime};
use crate::report::Report;
use crate::server::{ACCOUNT, Server, root};
use crate::sign::{Key, query};
use std::net::SocketAddr;
use std::time::Duration;

const TIME: Duration = Duration::from_secs(4);

pub fn measure(report: &mut Report) -> Result<(), Problem> {
    let folder = tempfile::tempdir()?;
    let (ours, moto) = (Server::bailiwick(folder.path())?, Server::emulator()?);
    let (ours, moto) = (rates(ours.address, ACCOUNT, 60_000)?, rates(moto.address, "123456789012", 2_000)?);
    for ((what, target), (ours, moto)) in
        [("GetUser", 60.0), ("AssumeRole", 50.0), ("CreateUser, durable", 20.0)].into_iter().zip(ours.into_iter().zip(moto))
    {
        let found = format!("{ours:.0}/s, moto_server {moto:.0}/s, {:.0} ×", ours / moto);
        report.line(&format!("{what}, 64 connections"), &found, &format!("≥ {target} ×"), ours >= target * moto);
    }
    Ok(())
}

/// GetUser, AssumeRole and CreateUser a second.
fn rates(address: SocketAddr, account: &str, ahead: usize) -> Result<[f64; 3], Problem> {
    let host = address.to_string();
    let key = setup(address, &host, account)?;
    let get = run(address, 64, TIME, vec![query(&host, "iam", "Action=GetUser&Version=2010-05-08&UserName=alice", &key)])?;
    let assume = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleSessionName=bench&RoleArn={}",
        encoded(&format!("arn:aws:iam::{account}:role/bench"))
    );
    let assume = run(address, 64, TIME, vec![query(&host, "sts", &assume, &key)])?;
    let create = run_fresh(address, 64, TIME, ahead, move |nth| {
        query(&host, "iam", &format!("Action=CreateUser&Version=2010-05-08&UserName=made-{nth}"), &key)
    })?;
    Ok([get.per_second, assume.per_second, create.per_second])
}

/// Alice, who may do everything, and a role that trusts her account.
fn setup(address: SocketAddr, host: &str, account: &str) -> Result<Key, Problem> {
    runtime()?.block_on(async {
        let mut connection = Connection::open(address).await?;
        let everything = encoded(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#);
        let trust = encoded(&format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":"sts:AssumeRole"}}}}"#));
        let mut answer = String::new();
        for what in [
            "Action=CreateUser&UserName=alice".to_owned(),
            format!("Action=PutUserPolicy&UserName=alice&PolicyName=p&PolicyDocument={everything}"),
            format!("Action=CreateRole&RoleName=bench&AssumeRolePolicyDocument={trust}"),
            "Action=CreateAccessKey&UserName=alice".to_owned(),
        ] {
            answer = call(&mut connection, host, "iam", &format!("{what}&Version=2010-05-08"), &root()).await?;
        }
        credentials(&answer)
    })
}
