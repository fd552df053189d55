//! The binary as an operator meets it: starts that are refused, files and their modes, signals, options.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    command.env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    command().args(arguments).output().unwrap()
}

/// What a command said that failed.
fn refused(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code().is_some_and(|code| code != 0), "{} {said}", output.status);
    said
}

fn serve(data_dir: &Path) -> Command {
    let mut command = command();
    command.arg("serve").arg("--data-dir").arg(data_dir).args(["--listen", "127.0.0.1:0", "--log-format", "json"]);
    command
}

/// A server that is killed with the value.
struct Serving {
    process: Child,
    address: String,
    ready: Duration,
    /// What was logged before it served.
    before: String,
    log: mpsc::Receiver<String>,
}

impl Serving {
    fn start(command: &mut Command) -> Serving {
        let began = Instant::now();
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, log) = mpsc::channel();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let mut serving = Serving { process, address: String::new(), ready: Duration::ZERO, before: String::new(), log };
        let (line, before) = serving.logged_after("\"serving\"");
        serving.before = before;
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        serving.address = event["address"].as_str().unwrap().to_owned();
        serving.ready = began.elapsed();
        serving
    }

    /// Waits for a line of the log.
    fn logged(&self, part: &str) -> String {
        self.logged_after(part).0
    }

    /// Waits for a line of the log, and returns it with those before it.
    fn logged_after(&self, part: &str) -> (String, String) {
        let mut before = String::new();
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(10)).unwrap_or_else(|_| panic!("{part} is not logged: {before}"));
            if line.contains(part) {
                return (line, before);
            }
            before.push_str(&line);
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    fn get(&self, path: &str) -> String {
        let mut stream = self.connect();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.process.id().to_string()]).status().unwrap().success());
    }

    fn stop(mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.process.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// All paths below a directory.
fn tree(path: &Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(tree(&path));
        }
        all.push(path);
    }
    all.sort();
    all
}

#[test]
fn a_first_start_is_soon_healthy_and_both_signals_end_it_well() {
    for signal in ["-TERM", "-INT"] {
        let temp = tempfile::tempdir().unwrap();
        let serving = Serving::start(&mut serve(&temp.path().join("data")));
        assert!(serving.get("/health").starts_with("HTTP/1.1 200 "), "healthy");
        // Generous for a machine that builds at the same time; the end-to-end suite holds it to 300 ms.
        assert!(serving.ready < Duration::from_secs(5), "{:?}", serving.ready);
        assert_eq!(serving.stop(signal), Some(0));
    }
}

#[test]
fn a_stop_drops_half_heads_and_is_soon_over() {
    let temp = tempfile::tempdir().unwrap();
    let serving = Serving::start(&mut serve(&temp.path().join("data")));
    let (mut half, silent) = (serving.connect(), serving.connect());
    half.write_all(b"GET / HTTP/1.1\r\nHo").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    assert_eq!(serving.stop("-TERM"), Some(0));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    for mut stream in [half, silent] {
        let mut said = Vec::new();
        drop(stream.read_to_end(&mut said));
        assert_eq!(said, b"");
    }
}

#[test]
fn whatever_the_umask_all_files_are_their_owners_only() {
    for umask in ["000", "022", "077"] {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("data");
        let mut under = Command::new("sh");
        under
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .args(["-c", &format!("umask {umask}; exec \"$0\" serve --data-dir \"$1\" --listen 127.0.0.1:0 --log-format json")]);
        under.arg(env!("CARGO_BIN_EXE_bailiwick")).arg(&data);
        let serving = Serving::start(&mut under);
        assert_eq!(mode(&data), 0o700);
        assert!(data.join("LOCK").exists() && data.join("control.sock").exists() && data.join("master.key").exists());
        for path in tree(&data) {
            assert_eq!(mode(&path), if path.is_dir() { 0o700 } else { 0o600 }, "umask {umask}: {}", path.display());
        }
        assert_eq!(serving.stop("-TERM"), Some(0));
    }
}

#[test]
fn a_second_server_on_the_same_directory_is_refused_and_the_first_serves_on() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    let serving = Serving::start(&mut serve(&data));
    assert!(refused(&mut serve(&data)).contains("another process uses this data directory"));
    assert!(serving.get("/health").starts_with("HTTP/1.1 200 "));
    assert_eq!(serving.stop("-TERM"), Some(0));
}

#[test]
fn a_port_that_is_taken_stops_the_start_and_leaves_a_directory_that_can_start() {
    let temp = tempfile::tempdir().unwrap();
    let serving = Serving::start(&mut serve(&temp.path().join("one")));
    let two = temp.path().join("two");
    let said = refused(command().args(["serve", "--listen", &serving.address, "--data-dir"]).arg(&two));
    assert!(said.contains(&serving.address), "{said}");
    assert_eq!(Serving::start(&mut serve(&two)).stop("-TERM"), Some(0));
}

#[test]
fn a_key_without_its_store_is_refused_and_nothing_is_written() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("master.key"), "ab".repeat(32)).unwrap();
    let before = tree(&data);
    assert!(refused(&mut serve(&data)).contains("there is no store here, but its master key is"));
    assert_eq!(tree(&data), before);
    fs::write(data.join("master.key"), "no key").unwrap();
    assert!(refused(&mut serve(&data)).contains("holds no master key"));
    assert_eq!(tree(&data), before);
}

#[test]
fn a_key_given_by_variable_file_or_command_is_not_written() {
    let key = "ab".repeat(32);
    for (name, value) in [("BAILIWICK_MASTER_KEY", key.clone()), ("BAILIWICK_MASTER_KEY_COMMAND", format!("echo {key}"))] {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("data");
        assert_eq!(Serving::start(serve(&data).env(name, value)).stop("-TERM"), Some(0));
        assert!(!data.join("master.key").exists());
    }
    let temp = tempfile::tempdir().unwrap();
    let (data, file) = (temp.path().join("data"), temp.path().join("elsewhere.key"));
    assert_eq!(Serving::start(serve(&data).arg("--master-key-file").arg(&file)).stop("-TERM"), Some(0));
    assert!(!data.join("master.key").exists());
    assert_eq!(mode(&file), 0o600);
}

#[test]
fn whatever_is_unknown_stops_the_start_by_its_name() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    assert!(refused(serve(&data).arg("--lissen=x")).contains("--lissen"));
    assert!(refused(serve(&data).env("BAILIWICK_ENFORCE", "false")).contains("BAILIWICK_ENFORCE: there is no such setting"));
    let file = temp.path().join("bailiwick.toml");
    fs::write(&file, "enforce = false\n").unwrap();
    assert!(refused(serve(&data).arg("--config").arg(&file)).contains("line 1: enforce: there is no such key"));
    assert!(!data.exists(), "nothing was made");
}

#[test]
fn an_open_address_without_tls_is_refused_unless_plaintext_says_so() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    let open = |extra: &[&str]| {
        let mut command = command();
        command.args(["serve", "--listen", "0.0.0.0:0", "--log-format", "json", "--data-dir"]).arg(&data).args(extra);
        command
    };
    assert!(refused(&mut open(&[])).contains("0.0.0.0:0 is not a loopback address"));
    assert!(!data.exists(), "nothing was made");
    assert_eq!(Serving::start(&mut open(&["--plaintext"])).stop("-TERM"), Some(0));
}

#[test]
fn a_hangup_reads_the_certificate_again_and_ends_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let (cert, key) = (temp.path().join("cert.pem"), temp.path().join("key.pem"));
    let write = || {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&cert, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    };
    assert!(
        refused(serve(&temp.path().join("data")).arg("--tls-cert").arg(&cert).arg("--tls-key").arg(&key))
            .contains("cert.pem cannot be used")
    );
    write();
    let serving = Serving::start(serve(&temp.path().join("data")).arg("--tls-cert").arg(&cert).arg("--tls-key").arg(&key));
    write();
    serving.signal("-HUP");
    serving.logged("the certificate was read again");
    fs::write(&cert, "none").unwrap();
    serving.signal("-HUP");
    serving.logged("the certificate was not changed");
    assert_eq!(serving.stop("-TERM"), Some(0));
    let plain = Serving::start(&mut serve(&temp.path().join("data")));
    plain.signal("-HUP");
    std::thread::sleep(Duration::from_millis(100));
    assert!(plain.get("/health").starts_with("HTTP/1.1 200 "));
}

#[test]
fn config_check_prints_the_configuration_without_secrets_or_says_all_that_is_wrong() {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let good = command()
        .args(["config", "check", "--listen", "127.0.0.1:1"])
        .env("BAILIWICK_ROOT_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("BAILIWICK_ROOT_SECRET_ACCESS_KEY", secret)
        .output()
        .unwrap();
    let printed = String::from_utf8(good.stdout).unwrap();
    assert!(good.status.success());
    assert!(
        printed.contains("listen = \"127.0.0.1:1\" # --listen\n") && printed.contains("data_dir = \"./data\" # default\n"),
        "{printed}"
    );
    assert!(printed.contains("# root_secret_access_key is set and not shown") && !printed.contains(secret), "{printed}");
    let said = refused(command().args(["config", "check"]).env("BAILIWICK_A", "1").env("BAILIWICK_HISTORY_DAYS", "x"));
    assert!(said.contains("BAILIWICK_A: ") && said.contains("BAILIWICK_HISTORY_DAYS: \"x\": "), "{said}");
    assert!(refused(command().args(["config", "check", "--listen", "0.0.0.0:1"])).contains("not a loopback address"));
}

#[test]
fn commands_without_a_store_make_none() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    for arguments in [&["account", "list"][..], &["check"], &["backup", "copy.db"], &["explain", "x"]] {
        let said = refused(command().args(arguments).arg("--data-dir").arg(&data).current_dir(temp.path()));
        assert!(said.contains("there is no store here"), "{said}");
    }
    assert_eq!(tree(temp.path()), [] as [std::path::PathBuf; 0]);
}

#[test]
fn the_version_is_the_packages_and_help_names_every_command() {
    assert_eq!(run(&["--version"]).stdout, format!("bailiwick {}\n", env!("CARGO_PKG_VERSION")).as_bytes());
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    for name in ["serve", "config", "account", "explain", "backup", "check", "evaluate"] {
        assert!(help.contains(&format!("\n  {name} ")), "{name}: {help}");
    }
    assert_eq!(run(&["--nonsense"]).status.code(), Some(2));
}

#[test]
fn a_low_limit_of_open_files_is_raised_or_leaves_room_for_the_store() {
    for (limit, warned) in [("ulimit -Sn 128", false), ("ulimit -n 300", true)] {
        let temp = tempfile::tempdir().unwrap();
        let mut under = Command::new("sh");
        under.env_clear().env("PATH", "/usr/bin:/bin").arg("-c");
        under.arg(format!("{limit}; exec \"$0\" serve --data-dir \"$1\" --listen 127.0.0.1:0 --log-format json --max-connections 400"));
        under.arg(env!("CARGO_BIN_EXE_bailiwick")).arg(temp.path().join("data"));
        let serving = Serving::start(&mut under);
        assert_eq!(serving.before.contains("fewer connections"), warned, "{limit}: {}", serving.before);
        let mut held = Vec::new();
        for _ in 0..350 {
            if let Ok(stream) = TcpStream::connect(&serving.address) {
                held.push(stream);
            }
        }
        std::thread::sleep(Duration::from_millis(300));
        drop(held);
        assert!(serving.get("/health").starts_with("HTTP/1.1 200 "));
        assert_eq!(serving.stop("-TERM"), Some(0));
    }
}
