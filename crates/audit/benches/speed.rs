//! Nanoseconds to write one event, and events a second into the trail, beside what the kernel needs for the same bytes.
//! Run with `cargo bench -p audit`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]

use std::hint::black_box;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use audit::{By, Check, Config, Event, EventId, EventType, Keys, Object, Recorded, Tls, Trail, UserIdentity};

fn event<'a>(recorded: Option<&'a Recorded<'a>>) -> Event<'a> {
    Event {
        identity: UserIdentity::IamUser {
            id: "AIDARZPUZDIKEXAMPLEEX",
            arn: "arn:aws:iam::123456789012:user/teams/blue/alice",
            account: "123456789012".parse().unwrap(),
            access_key_id: Some("AKIARZPUZDIKGB2VALC4"),
            name: "alice",
            session: None,
            invoked_by: None,
        },
        at: 1_795_517_940,
        source: "sts.amazonaws.com",
        name: "GetCallerIdentity",
        region: "us-east-1",
        source_address: "203.0.113.9",
        user_agent: Some(
            "aws-cli/2.32.0 md/awscrt#0.28.2 ua/2.1 os/linux#6.18.44 md/arch#x86_64 lang/python#3.13.9 md/pyimpl#CPython m/E,Z,b cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#sts.get-caller-identity",
        ),
        error: None,
        request: None,
        response: None,
        additional: &[],
        recorded,
        request_id: "01234567-89ab-4def-8123-456789abcdef",
        event_id: EventId::from_entropy([0xa5; 16]),
        read_only: true,
        resources: &[],
        event_type: EventType::ApiCall,
        recipient: Some("123456789012".parse().unwrap()),
        shared_id: None,
        tls: Some(Tls { version: "TLSv1.3", cipher_suite: "TLS_AES_128_GCM_SHA256", host: "sts.us-east-1.example.com" }),
    }
}

/// Keys as `/authorize` has them, borrowed as a request would lend them.
fn keys() -> Keys<'static> {
    let mut keys = Keys::default();
    for (key, value) in [
        ("aws:PrincipalArn", "arn:aws:iam::123456789012:user/teams/blue/alice"),
        ("aws:PrincipalAccount", "123456789012"),
        ("aws:PrincipalType", "User"),
        ("aws:userid", "AIDARZPUZDIKEXAMPLEEX"),
        ("aws:username", "alice"),
        ("aws:SourceIp", "203.0.113.9"),
        ("aws:SecureTransport", "true"),
        ("aws:CurrentTime", "2026-11-24T10:39:00Z"),
        ("aws:EpochTime", "1795517940"),
        ("aws:RequestedRegion", "us-east-1"),
        ("aws:UserAgent", "Boto3/1.40 md/Botocore#1.40 ua/2.1 os/linux lang/python#3.13"),
        ("aws:ResourceAccount", "123456789012"),
        ("s3:signatureAge", "1234"),
        ("s3:authType", "REST-HEADER"),
    ] {
        keys.one(key, value);
    }
    keys
}

fn checked() -> Recorded<'static> {
    Recorded {
        revision: 123_456,
        outcome: "Allowed".into(),
        because: "identity".into(),
        by: Some(By { source: "arn:aws:iam::123456789012:policy/readers".into(), statement: 1, sid: Some("Read".into()), line: 9 }),
        asked_by: Some("arn:aws:iam::123456789012:user/store".into()),
        keys: keys(),
        checks: vec![Check {
            action: "s3:GetObject".into(),
            resource: "arn:aws:s3:::reports/2026/q1.csv".into(),
            resource_account: Some("123456789012".parse().unwrap()),
            outcome: "Allowed".into(),
            because: "identity".into(),
            ..Check::default()
        }],
        session_policies: Vec::new(),
    }
}

/// The best of five rounds, in nanoseconds.
fn measure(what: &str, mut run: impl FnMut() -> usize) {
    const TIMES: u32 = 100_000;
    let mut best = f64::MAX;
    let mut length = 0;
    for _ in 0..5 {
        let begin = Instant::now();
        for _ in 0..TIMES {
            length = run();
        }
        best = best.min(begin.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES));
    }
    println!("{what}: {best:.0} ns, {length} bytes");
}

fn trail(config: Config) -> (tempfile::TempDir, Trail) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let trail = Trail::open(&directory.path().join("trail"), config).unwrap();
    (directory, trail)
}

/// Runs `each` on so many threads for two seconds; prints the rate and the slowest percent.
fn load(what: &str, threads: usize, each: impl Fn(i64) + Sync) {
    let stop = AtomicBool::new(false);
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let (stop, each) = (&stop, &each);
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    let mut times = Vec::new();
                    let mut seq = i64::try_from(thread).unwrap();
                    while !stop.load(Ordering::Relaxed) {
                        let begin = Instant::now();
                        each(seq);
                        times.push(begin.elapsed());
                        seq += i64::try_from(threads).unwrap();
                    }
                    times
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(2));
        stop.store(true, Ordering::Relaxed);
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 1_000).copied().unwrap_or_default();
    println!(
        "{what}, {threads} threads: {}/s, p50 {:?}, p99 {:?}, p99.9 {:?}, most {:?}",
        times.len() / 2,
        at(500),
        at(990),
        at(999),
        times.last().unwrap()
    );
}

fn main() {
    let mut out = Vec::with_capacity(4_096);
    let mut written = |event: &Event<'_>| {
        out.clear();
        black_box(event).write(&mut out);
        out.len()
    };
    measure("event of GetCallerIdentity", || written(&event(None)));
    let short = Recorded { revision: 123_456, outcome: "Allowed".into(), because: "nothing".into(), ..Recorded::default() };
    measure("event of GetCallerIdentity with its decision", || written(&event(Some(&short))));
    measure("the same in a buffer of its own", || black_box(event(Some(&short)).line()).len());
    let checked = checked();
    measure("event of a check with 14 condition keys", || written(&event(Some(&checked))));
    measure("the same with its keys gathered", || written(&event(Some(&Recorded { keys: keys(), ..checked.clone() }))));
    let request = |object: &mut Object<'_>| {
        object.member("UserName").text("bob");
        object.member("Path").text("/teams/blue/");
        object.member("Tags").list(|tags| {
            for number in 0..3 {
                tags.item().object(|tag| {
                    tag.member("Key").text("cost-centre");
                    tag.member("Value").number(number);
                });
            }
        });
    };
    measure("event of CreateUser", || written(&Event { request: Some(&request), read_only: false, ..event(Some(&checked)) }));
    measure("reading one back", || {
        let line = event(Some(&checked)).text();
        audit::parse(&line).unwrap().request_id.len()
    });
    let hostile = "a%3D".repeat(262_144 / 4);
    let begin = Instant::now();
    black_box(audit::redact::text(&hostile).len());
    println!("redacting 256 KiB made to be slow: {:?}", begin.elapsed());

    let line = event(Some(&short)).line();
    let text = event(Some(&short)).text();
    let config = Config { buffer_bytes: 64 << 20, ..Config::default() };
    for threads in [1, 2] {
        let (_directory, trail) = trail(config);
        load("events of reads noted", threads, |_| trail.note(&line));
        let counters = trail.counters();
        println!("  of them dropped for want of a faster disk: {} of {}", counters.dropped, counters.dropped + counters.written);
    }
    {
        // As fast as a busy server on two cores makes them.
        let (_directory, trail) = trail(Config::default());
        let begin = Instant::now();
        let mut sent = 0_u32;
        while begin.elapsed() < Duration::from_secs(4) {
            let due = begin.elapsed().as_secs_f64() * 60_000.0;
            while f64::from(sent) < due {
                trail.note(&line);
                sent += 1;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        trail.close();
        println!("60,000 events of reads a second for 4 s: {:?}", trail.counters());
    }
    for threads in [1, 2, 64] {
        let (_directory, trail) = trail(config);
        trail.recover(&[(-1, text.clone())]).unwrap();
        load("events of writes written through", threads, |seq| trail.write_through(seq, &text).unwrap());
    }
    {
        let (_directory, trail) = trail(config);
        load("both, half of each", 2, |seq| if seq % 2 == 0 { trail.note(&line) } else { trail.write_through(seq, &text).unwrap() });
    }
    {
        let mut file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        measure("one write(2) of such a line, for comparison", || file.write(&line).unwrap());
    }
    {
        let (_directory, trail) = trail(Config { buffer_bytes: 1 << 30, ..config });
        (0..1_000_000).for_each(|_| trail.note(&line));
        let begin = Instant::now();
        assert_eq!(trail.find("not-there").unwrap(), None);
        println!("a search through {} MiB for what is not there: {:?}", 1_000_000 * line.len() / (1 << 20), begin.elapsed());
    }
}
