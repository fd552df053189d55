//! Prints how long a decision takes with 1 to 1,000 policies on the principal, in nanoseconds: `cargo run --release -p policy --example decide_time`.
//! One policy allows the request; the others name other actions, or other resources, in the shapes that people write.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "an example that measures and prints")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use policy::{Compiled, Context, Document, Kind, Policies, PolicySet, Principal, Request, Source, decide};

/// What the policies beside the one that allows say, from their number.
type Other = fn(usize) -> (String, String);

const SHAPES: [(&str, Other); 9] = [
    ("other actions", |at| (format!("service{at}:DoThing{at}"), "*".into())),
    ("other resources, same action", |at| ("s3:GetObject".into(), format!("arn:aws:s3:::bucket-{at:04}/*"))),
    ("other resources, s3:*", |at| ("s3:*".into(), format!("arn:aws:s3:::bucket-{at:04}/*"))),
    ("other resources, exact", |at| ("s3:Get*".into(), format!("arn:aws:s3:::bucket-{at:04}/key-{at}"))),
    ("half other actions, half other resources", |at| {
        if at.is_multiple_of(2) {
            (format!("service{at}:*"), "*".into())
        } else {
            ("s3:*".into(), format!("arn:aws:s3:::bucket-{at:04}/*"))
        }
    }),
    ("other accounts", |at| ("s3:GetObject".into(), format!("arn:aws:sqs:us-east-1:{:012}:queue", 200_000_000_000_u64 + at as u64))),
    ("other resources, any region and account", |at| ("s3:*".into(), format!("arn:aws:s3:*:*:bucket-{at:04}/*"))),
    ("other accounts, any region", |at| ("s3:*".into(), format!("arn:aws:s3:*:{:012}:*", 200_000_000_000_u64 + at as u64))),
    ("other resources, many actions", |at| {
        let actions: Vec<String> = (0..20).map(|n| format!("s3:GetObject{n}")).chain(["s3:GetObject".into()]).collect();
        (actions.join("\",\""), format!("arn:aws:s3:::bucket-{at:04}/*"))
    }),
];

fn compiled(action: &str, resource: &str) -> Arc<Compiled> {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["{action}"],"Resource":"{resource}","Condition":{{"StringEquals":{{"aws:PrincipalTag/team":"red"}}}}}}]}}"#
    );
    Arc::new(Compiled::new(&Document::parse(&text).unwrap(), Kind::Identity))
}

/// The time of one decision: the best of many short runs, as everything that disturbs a run makes it longer.
fn time(request: &Request<'_>, policies: &Policies<'_>) -> f64 {
    const ROUND: u32 = 2_000;
    let begun = Instant::now();
    let mut best = f64::MAX;
    while begun.elapsed() < Duration::from_millis(300) {
        let started = Instant::now();
        for _ in 0..ROUND {
            assert!(decide(black_box(request), black_box(policies)).is_allowed());
        }
        best = best.min(started.elapsed().as_secs_f64() * 1e9 / f64::from(ROUND));
    }
    best
}

fn main() {
    let principal = Principal::from_arn("arn:aws:iam::111122223333:user/alice").unwrap();
    let mut facts = Context::new();
    for (key, value) in [
        ("aws:PrincipalTag/team", "red"),
        ("aws:SourceIp", "203.0.113.9"),
        ("aws:CurrentTime", "2026-03-01T12:00:00Z"),
        ("aws:SecureTransport", "true"),
        ("aws:username", "alice"),
    ] {
        facts.insert(key, value);
    }
    let request = Request {
        principal: &principal,
        action: "s3:GetObject",
        resource: "arn:aws:s3:::reports/2026/q1/summary.csv",
        resource_account: None,
        facts: &facts,
    };
    println!("{:45}{:>10}{:>10}{:>10}{:>10}{:>12}", "ns a decision; policies:", 1, 10, 100, 1_000, "1000 : 1");
    for (name, other) in SHAPES {
        let mut times = Vec::new();
        for count in [1, 10, 100, 1_000] {
            let mut documents = vec![(Source::new("the one"), compiled("s3:GetObject", "arn:aws:s3:::reports/*"))];
            documents.extend((1..count).map(|at| {
                let (action, resource) = other(at);
                (Source::new("another"), compiled(&action, &resource))
            }));
            let identity = PolicySet::new(Kind::Identity, documents);
            times.push(time(&request, &Policies::of(&identity)));
        }
        let ratio = times.last().zip(times.first()).map_or(0.0, |(last, first)| last / first);
        println!("{name:45}{}{ratio:>12.2}", times.iter().map(|time| format!("{time:>10.0}")).collect::<String>());
    }
}
