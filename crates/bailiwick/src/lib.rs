//! The binary's inside: command line, configuration, the data directory, the HTTP server, start and stop.
//!
//! It is the only crate that knows all others, and the only one that reads the environment. What an AWS operation means
//! is said on the floors below; here a request is bytes that come in, within limits, and an answer that goes out.
pub mod cli;
pub mod config;
pub mod data_dir;
pub mod descriptors;
pub mod evaluate;
pub mod foresee;
pub mod http;
pub mod local;
pub mod logs;
pub mod manual;
pub mod master_key;
pub mod node;
pub mod serve;
pub mod ssh_keys;
