//! The log on standard error. What libraries say below a warning never gets there: they do not know what is secret.
use std::io::{self, IsTerminal as _};

use tracing::Level;
use tracing_subscriber::{Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::config::LogFormat;

/// The crates whose events are logged at the configured level.
const OURS: [&str; 14] = [
    "bailiwick",
    "arn",
    "policy",
    "sigv4",
    "wire",
    "store",
    "identities",
    "audit",
    "access",
    "operation",
    "iam",
    "sts",
    "decisions",
    "panic",
];

/// Begins to log. To be called once, by the one who owns the process.
pub fn init(format: LogFormat, level: Level) {
    let targets = OURS.iter().fold(Targets::new().with_default(level.min(Level::WARN)), |targets, name| targets.with_target(*name, level));
    let registry = tracing_subscriber::registry();
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let began = match format {
        LogFormat::Text => registry.with(layer.with_ansi(io::stderr().is_terminal()).with_filter(targets)).try_init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true).with_filter(targets)).try_init(),
    };
    // Where something logs already (a test), it goes on.
    drop(began);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // A message that was put together at run time may hold anything; one that stands in the code holds no secret.
        let message = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("(message not shown)");
        tracing::error!(target: "panic", %place, message, "a panic was caught");
    }));
}
