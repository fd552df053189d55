//! Servers that are measured: started, waited for, ended by their process id.

use crate::Problem;
use crate::sign::Key;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// How long it took until it answered.
    pub started_in: Duration,
}

/// The root user that measured servers are given.
pub fn root() -> Key {
    Key { id: "AKIABENCHBENCHBENCH0".into(), secret: "bench-bench-bench-bench-bench-bench-bench-bench".into(), token: None }
}

/// The account of that root user.
pub const ACCOUNT: &str = "111122223333";

fn free() -> Result<SocketAddr, Problem> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Whether a request is answered. A port may be taken, and connections held, long before that.
fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut first = [0];
    stream.set_read_timeout(Some(Duration::from_secs(60))).is_ok()
        && write!(stream, "GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").is_ok()
        && stream.read(&mut first).is_ok_and(|read| read > 0)
}

/// The repository's root.
fn root_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The program that is measured.
pub fn bailiwick() -> PathBuf {
    root_folder().join("target/release/bailiwick")
}

impl Server {
    /// Bailiwick on a data directory.
    pub fn bailiwick(data: &Path) -> Result<Server, Problem> {
        let address = free()?;
        let mut command = Command::new(bailiwick());
        command.arg("serve").arg("--data-dir").arg(data).arg("--listen").arg(address.to_string());
        command
            .env("BAILIWICK_ACCOUNT_ID", ACCOUNT)
            .env("BAILIWICK_ROOT_ACCESS_KEY_ID", root().id)
            .env("BAILIWICK_ROOT_SECRET_ACCESS_KEY", root().secret);
        Server::start(command, address)
    }

    /// The hello-world on the same stack.
    pub fn hello() -> Result<Server, Problem> {
        let address = free()?;
        let mut command = Command::new(std::env::current_exe()?.with_file_name("hello"));
        command.arg(address.to_string());
        Server::start(command, address)
    }

    /// The emulator.
    pub fn emulator() -> Result<Server, Problem> {
        let address = free()?;
        let mut command = Command::new(root_folder().join("benches/.venv/bin/moto_server"));
        command.arg("--host").arg("127.0.0.1").arg("--port").arg(address.port().to_string());
        Server::start(command, address)
    }

    fn start(mut command: Command, address: SocketAddr) -> Result<Server, Problem> {
        let began = Instant::now();
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut server = Server { child, address, started_in: Duration::ZERO };
        while !answers(address) {
            if began.elapsed() > Duration::from_secs(60) {
                return Err("a server did not start".into());
            }
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("a server ended at once: {status}").into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        server.started_in = began.elapsed();
        Ok(server)
    }

    /// Resident memory, in bytes.
    pub fn resident(&self) -> Result<u64, Problem> {
        self.memory("VmRSS:")
    }

    /// The most that was ever resident, in bytes.
    pub fn peak(&self) -> Result<u64, Problem> {
        self.memory("VmHWM:")
    }

    fn memory(&self, name: &str) -> Result<u64, Problem> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| format!("no {name}"))?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    /// Ends it as `kill -9` does.
    pub fn kill(mut self) -> Result<(), Problem> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
