//! What the wire costs a request: `cargo bench -p wire`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]

use std::hint::black_box;
use std::time::Instant;
use wire::query::{Limits, read};
use wire::{Answer, Form, Protocol, Shape, Text};

const IAM: Protocol = Protocol::Query { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/", repeats: false };

#[derive(Text)]
#[text(min = 1, max = 64, pattern = r"[\w+=,.@-]+")]
struct UserName(Box<str>);
#[derive(Text)]
#[text(min = 1, max = 512, pattern = r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)")]
struct Path(Box<str>);
#[derive(Shape)]
struct Tag {
    key: String,
    value: String,
}
#[derive(Shape)]
struct CreateUser {
    user_name: UserName,
    path: Option<Path>,
    tags: Vec<Tag>,
}
#[derive(Shape)]
struct GetCallerIdentity;
#[derive(Shape)]
struct GetCallerIdentityOutput {
    user_id: String,
    account: arn::AccountId,
    arn: String,
}

fn main() {
    let limits = Limits::default();
    let small = b"Action=GetCallerIdentity&Version=2011-06-15";
    measure("read GetCallerIdentity", || {
        let call = read("", black_box(small), &limits).unwrap();
        black_box(wire::input::<GetCallerIdentity>(&call.input, &IAM).unwrap());
    });
    let body = b"Action=CreateUser&Version=2010-05-08&UserName=alice&Path=%2Fdev%2F&Tags.member.1.Key=team&Tags.member.1.Value=core";
    measure("read CreateUser with a tag", || {
        let call = read("", black_box(body), &limits).unwrap();
        black_box(wire::input::<CreateUser>(&call.input, &IAM).unwrap());
    });
    let account: arn::AccountId = "123456789012".parse().unwrap();
    let answer = Answer { protocol: &IAM, form: Form::Xml, request_id: "7a62c49f-347e-4fc4-9331-6e8eEXAMPLE" };
    measure("answer GetCallerIdentity", || {
        let output = GetCallerIdentityOutput {
            user_id: "AIDACKCEVSQ6C2EXAMPLE".to_owned(),
            account,
            arn: "arn:aws:iam::123456789012:user/alice".to_owned(),
        };
        black_box(answer.reply("GetCallerIdentity", &output.write()));
    });
    let many: String = (1..=4_998).map(|n| format!("&Tags.member.{n}.Key=k&Tags.member.{n}.Value=v")).collect();
    let many = format!("Action=CreateUser&Version=2010-05-08&UserName=alice{many}");
    measure("read 9,999 parameters", || {
        let call = read("", black_box(many.as_bytes()), &limits).unwrap();
        black_box(wire::input::<CreateUser>(&call.input, &IAM).unwrap());
    });
}

fn measure(what: &str, mut work: impl FnMut()) {
    let mut best = u128::MAX;
    let mut rounds = 1u32;
    loop {
        let start = Instant::now();
        for _ in 0..rounds {
            work();
        }
        let took = start.elapsed();
        if took.as_millis() < 50 {
            rounds = rounds.saturating_mul(2);
            continue;
        }
        for _ in 0..5 {
            let start = Instant::now();
            for _ in 0..rounds {
                work();
            }
            best = best.min(start.elapsed().as_nanos() / u128::from(rounds));
        }
        break;
    }
    println!("{what}: {best} ns");
}
