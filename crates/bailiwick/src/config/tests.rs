use std::fs;

use super::*;

fn read(options: &[(&'static str, &str)], variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let options = options.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    Config::read(&options, variables.iter().map(|(name, value)| (name.into(), value.into())))
}

fn refused(options: &[(&'static str, &str)], variables: &[(&str, &str)]) -> String {
    read(options, variables).unwrap_err().to_string()
}

/// A file that is gone with the value.
fn file(text: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bailiwick.toml");
    fs::write(&path, text).unwrap();
    (dir, path.to_str().unwrap().to_owned())
}

#[test]
fn without_a_word_the_defaults_hold() {
    let config = read(&[], &[("PATH", "/bin"), ("AWS_REGION", "x")]).unwrap();
    assert_eq!(config.data_dir, PathBuf::from("./data"));
    assert_eq!(config.listen.to_string(), "127.0.0.1:7650");
    assert_eq!((config.plaintext, config.tls, config.max_connections), (false, None, 4096));
    assert_eq!(config.master_key, KeySource::DataDir);
    assert_eq!((config.log_format, config.log_level), (LogFormat::Text, tracing::Level::INFO));
    assert_eq!(config.trail, TrailSizes { rotate: 64 << 20, total: 2 << 30 });
    assert_eq!(config.history_days, 400);
    assert_eq!(config.quotas, Quotas::default());
}

#[test]
fn an_option_wins_over_a_variable_and_a_variable_over_the_file() {
    let (_dir, path) =
        file("listen = \"127.0.0.1:1\"\ndata_dir = \"file\"\nhistory_days = 7\nplaintext = true\ntrail_rotate_size = \"2MiB\"\n");
    let variables = [("BAILIWICK_CONFIG", path.as_str()), ("BAILIWICK_LISTEN", "127.0.0.1:2"), ("BAILIWICK_DATA_DIR", "variable")];
    let config = read(&[("listen", "127.0.0.1:3")], &variables).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:3");
    assert_eq!(config.data_dir, PathBuf::from("variable"));
    assert_eq!((config.history_days, config.plaintext, config.trail.rotate), (7, true, 2 << 20));
}

#[test]
fn whatever_is_unknown_is_named_all_of_it() {
    let (_dir, path) = file("lisen = \"127.0.0.1:1\"\n\nconfig = \"x\"\n[server]\nport = 1\n");
    let said =
        refused(&[("config", &path)], &[("BAILIWICK_LISEN", "x"), ("BAILIWICK_DATADIR", "y"), ("BAILIWICK_PORT_7650_TCP", "tcp://1")]);
    for part in
        ["BAILIWICK_LISEN: ", "BAILIWICK_DATADIR: ", "line 1: lisen: ", "line 3: config: ", "line 4: server: ", "enableServiceLinks"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(said.lines().count(), 6, "{said}");
}

#[test]
fn a_wrong_value_is_named_with_who_set_it() {
    let (_dir, path) = file("history_days = 0\nplaintext = \"yes\"\nlog_level = 3\n");
    let said = refused(&[("config", &path), ("listen", "nowhere")], &[("BAILIWICK_MAX_CONNECTIONS", "many"), ("BAILIWICK_DATA_DIR", "")]);
    for part in [
        "--listen: \"nowhere\": ",
        "BAILIWICK_MAX_CONNECTIONS: \"many\": ",
        "BAILIWICK_DATA_DIR: \"\": it is empty",
        "line 1: history_days: \"0\": ",
        "line 2: plaintext: it must be true or false",
        "line 3: log_level: it must be a string",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_file_that_is_missing_or_no_toml_stops_the_start_without_showing_its_lines() {
    assert!(refused(&[("config", "/nonexistent.toml")], &[]).contains("/nonexistent.toml: "));
    let (_dir, path) = file("# first\nroot_password = hunter2hunter2\n");
    let said = refused(&[("config", &path)], &[]);
    assert!(said.contains("line 2: ") && !said.contains("hunter2"), "{said}");
    let (_dir, path) = file("listen = \"a:1\"\nlisten = \"b:1\"\n");
    assert!(refused(&[("config", &path)], &[]).contains("line 2: "));
}

/// A value that each key takes.
fn sample(key: &Key) -> String {
    match (key.name, key.kind) {
        ("listen", _) => "127.0.0.1:1".to_owned(),
        ("account_id", _) => "000000000001".to_owned(),
        ("root_email", _) => "root@example.com".to_owned(),
        ("root_access_key_id", _) => "AKIA_0123456789ab".to_owned(),
        ("root_secret_access_key", _) => "s".repeat(40),
        ("trail_total_size", _) => "1GiB".to_owned(),
        (_, Kind::Text | Kind::Path) => "some-value".to_owned(),
        (_, Kind::Flag) => "true".to_owned(),
        (_, Kind::Number) => "7".to_owned(),
        (_, Kind::Size) => "2MiB".to_owned(),
        (_, Kind::Choice(words)) => words[words.len() - 1].to_owned(),
    }
}

/// What a key needs beside it.
fn companions(key: &Key) -> Vec<(String, String)> {
    let other = match key.name {
        "tls_cert" => &keys::TLS_KEY,
        "tls_key" => &keys::TLS_CERT,
        "root_access_key_id" | "root_access_key_id_file" => &keys::ROOT_SECRET_ACCESS_KEY,
        "root_secret_access_key" | "root_secret_access_key_file" => &keys::ROOT_ACCESS_KEY_ID,
        _ => return Vec::new(),
    };
    vec![(other.variable(), sample(other))]
}

#[test]
fn every_key_is_read_from_its_variable_and_refused_where_it_is_wrong() {
    for key in KEYS.iter().filter(|key| key.name != "config") {
        let mut variables = companions(key);
        variables.push((key.variable(), sample(key)));
        let given: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let shown = read(&[], &given).unwrap_or_else(|errors| panic!("{}: {errors}", key.name)).to_string();
        let line = shown.lines().find(|line| line.trim_start_matches("# ").starts_with(&format!("{} ", key.name))).unwrap();
        assert!(line.contains(&key.variable()), "{line}");
        assert_eq!(line.contains(&sample(key)), !key.secret, "{line}");

        let variable = key.variable();
        let empty: Vec<_> = given.iter().map(|(name, value)| if *name == variable { (*name, "") } else { (*name, *value) }).collect();
        let refused = read(&[], &empty)
            .map_err(|errors| errors.to_string())
            .and_then(|config| config.first_account().map_err(|error| error.to_string()));
        let said = refused.expect_err(key.name);
        assert!(said.contains(&variable), "{}: {said}", key.name);
    }
}

#[test]
fn what_is_shown_is_a_file_that_means_the_same() {
    let given = [("BAILIWICK_LOG_FORMAT", "json"), ("BAILIWICK_QUOTA_USERS", "5"), ("BAILIWICK_MASTER_KEY_COMMAND", "vault \"read\" 'k'")];
    let shown = read(&[("plaintext", "true")], &given).unwrap().to_string();
    let (_dir, path) = file(&shown);
    let again = read(&[("config", &path)], &[]).unwrap();
    assert_eq!((again.log_format, again.quotas.users, again.plaintext), (LogFormat::Json, Some(5), true));
    assert_eq!(again.master_key, KeySource::Command("vault \"read\" 'k'".to_owned()));
}

#[test]
fn no_secret_is_shown_or_debugged_or_said_in_an_error() {
    let secret = "tooShortButSecret";
    let variables = [
        ("BAILIWICK_ROOT_SECRET_ACCESS_KEY", secret),
        ("BAILIWICK_ROOT_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("BAILIWICK_ROOT_PASSWORD", secret),
        ("BAILIWICK_MASTER_KEY", secret),
    ];
    let config = read(&[], &variables).unwrap();
    let error = config.first_account().unwrap_err();
    assert!(error.to_string().contains("BAILIWICK_ROOT_"), "{error}");
    for text in [config.to_string(), format!("{config:?}"), error.to_string(), format!("{error:?}")] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn the_first_account_is_read_from_variables_or_from_files() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    fs::write(&secret, format!("{}\n", "s".repeat(40))).unwrap();
    let variables = [
        ("BAILIWICK_ACCOUNT_ID", "012345678901"),
        ("BAILIWICK_ROOT_ACCESS_KEY_ID", "any_16_to_128_chars"),
        ("BAILIWICK_ROOT_SECRET_ACCESS_KEY_FILE", secret.to_str().unwrap()),
        ("BAILIWICK_ROOT_EMAIL", "root@example.com"),
        ("BAILIWICK_ROOT_PASSWORD", " with space "),
    ];
    let config = read(&[], &variables).unwrap();
    let first = config.first_account().unwrap();
    assert_eq!(first.id.unwrap().value.to_string(), "012345678901");
    assert_eq!(first.key_id.unwrap().value.as_str(), "any_16_to_128_chars");
    let key_secret = first.key_secret.unwrap();
    assert_eq!(key_secret.value.expose(), "s".repeat(40));
    assert_eq!(key_secret.source.to_string(), "BAILIWICK_ROOT_SECRET_ACCESS_KEY_FILE");
    assert_eq!(first.email.unwrap().value, "root@example.com");
    assert_eq!(first.password.unwrap().value.expose(), " with space ");
    // Only the one who uses it needs the file.
    fs::remove_file(&secret).unwrap();
    assert!(read(&[], &variables).unwrap().first_account().unwrap_err().to_string().contains("secret: "));
}

#[test]
fn what_is_said_of_the_first_account_is_held_to_its_rules() {
    let id = ("BAILIWICK_ROOT_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    let secret = ("BAILIWICK_ROOT_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    assert!(read(&[], &[id, secret]).unwrap().first_account().is_ok());
    for wrong in [
        [("BAILIWICK_ROOT_ACCESS_KEY_ID", "short15chars___"), secret],
        [("BAILIWICK_ROOT_ACCESS_KEY_ID", "AKIA-with-dashes"), secret],
        [id, ("BAILIWICK_ROOT_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE")],
        [id, ("BAILIWICK_ROOT_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCY EXAMPLEKEYS")],
    ] {
        assert!(read(&[], &wrong).unwrap().first_account().is_err(), "{wrong:?}");
    }
    for wrong in [("BAILIWICK_ACCOUNT_ID", "12345678901"), ("BAILIWICK_ROOT_EMAIL", "root"), ("BAILIWICK_ROOT_PASSWORD", "1234567")] {
        assert!(read(&[], &[wrong]).unwrap().first_account().is_err(), "{wrong:?}");
    }
    assert!(refused(&[], &[id]).contains("BAILIWICK_ROOT_ACCESS_KEY_ID needs root_secret_access_key too"));
    assert!(refused(&[], &[secret]).contains("needs root_access_key_id too"));
}

#[test]
fn one_thing_is_said_once() {
    let said = refused(
        &[],
        &[
            ("BAILIWICK_ACCOUNT_ID", "000000000001"),
            ("BAILIWICK_ACCOUNT_ID_FILE", "f"),
            ("BAILIWICK_MASTER_KEY_FILE", "f"),
            ("BAILIWICK_MASTER_KEY_COMMAND", "c"),
        ],
    );
    assert!(said.contains("BAILIWICK_ACCOUNT_ID and BAILIWICK_ACCOUNT_ID_FILE: "), "{said}");
    assert!(said.contains("BAILIWICK_MASTER_KEY_FILE and BAILIWICK_MASTER_KEY_COMMAND: "), "{said}");
    assert!(refused(&[("tls_cert", "c")], &[]).contains("--tls-cert needs tls_key too"));
}

#[test]
fn an_address_that_is_not_loopback_needs_tls_or_a_word() {
    let addresses = |options: &[(&'static str, &str)]| read(options, &[]).unwrap().addresses();
    for loopback in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "localhost:1"] {
        assert!(addresses(&[("listen", loopback)]).is_ok(), "{loopback}");
    }
    for open in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[::ffff:192.0.2.1]:1"] {
        assert!(matches!(addresses(&[("listen", open)]), Err(ConfigError::NotLoopback { .. })), "{open}");
        assert!(addresses(&[("listen", open), ("plaintext", "true")]).is_ok());
        assert!(addresses(&[("listen", open), ("tls_cert", "c"), ("tls_key", "k")]).is_ok());
    }
}

#[test]
fn the_trail_is_at_least_two_files_long() {
    assert!(refused(&[("trail_rotate_size", "64MiB"), ("trail_total_size", "100MiB")], &[]).contains("--trail-total-size: "));
    assert!(read(&[("trail_rotate_size", "1MiB"), ("trail_total_size", "2MiB")], &[]).is_ok());
}
