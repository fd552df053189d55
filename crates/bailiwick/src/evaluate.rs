//! `bailiwick evaluate`: the same engine without a server. Here lines are read and answers written; [`policy::evaluate`] judges.
use std::io::{self, BufRead as _, BufReader, Read, Write};

use serde::Serialize;

/// A longer line is not judged: bytes.
const LINE_LIMIT: usize = 64 * 1024 * 1024;

#[derive(Serialize)]
struct TooLong {
    name: (),
    error: String,
}

/// Judges case by case, in order, and says whether every line could be judged. Answers are written no later than before the
/// next case must be waited for, so that another program can ask and read in turn.
///
/// # Errors
/// Where reading or writing fails.
pub fn run(cases: impl Read, answers: &mut impl Write) -> io::Result<bool> {
    let mut cases = BufReader::with_capacity(64 * 1024, cases);
    let mut line = Vec::new();
    let mut sound = true;
    for number in 1.. {
        if cases.buffer().is_empty() {
            answers.flush()?;
        }
        line.clear();
        let read = cases.by_ref().take(LINE_LIMIT as u64).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        if read == LINE_LIMIT && line.last() != Some(&b'\n') {
            cases.skip_until(b'\n')?;
            let answer = TooLong { name: (), error: format!("the line is longer than {LINE_LIMIT} bytes at line {number} column 1") };
            serde_json::to_writer(&mut *answers, &answer)?;
            answers.write_all(b"\n")?;
            sound = false;
            continue;
        }
        if let Some(answer) = policy::evaluate::line(number, line.trim_ascii_end()) {
            sound &= !answer.is_bad;
            answers.write_all(answer.text.as_bytes())?;
            answers.write_all(b"\n")?;
        }
    }
    answers.flush()?;
    Ok(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: &str = r#"{"name":"n","request":{"principal":"arn:aws:iam::111122223333:user/alice","action":"s3:GetObject","resource":"arn:aws:s3:::b/k"},"policies":{}}"#;

    fn judged(text: impl AsRef<[u8]>) -> (bool, Vec<serde_json::Value>) {
        let mut out = Vec::new();
        let sound = run(text.as_ref(), &mut out).unwrap();
        let lines = String::from_utf8(out).unwrap();
        (sound, lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    #[test]
    fn every_case_has_an_answer_in_its_place_and_blank_lines_have_none() {
        let (sound, answers) = judged(format!("{CASE}\n\n{CASE}\r\n{CASE}"));
        assert!(sound);
        assert_eq!(answers.iter().map(|answer| answer["decision"].as_str().unwrap()).collect::<Vec<_>>(), ["ImplicitlyDenied"; 3]);
        assert_eq!(judged(""), (true, Vec::new()));
    }

    #[test]
    fn a_bad_line_is_told_by_its_number_and_the_run_goes_on() {
        let (sound, answers) = judged(format!("{CASE}\n{{\"name\":\"bad\"\n\u{0}\n{CASE}\n"));
        assert!(!sound);
        assert_eq!(answers.len(), 4);
        assert!(answers[1]["error"].as_str().unwrap().contains("line 2 "), "{}", answers[1]);
        assert!(answers[2]["error"].as_str().unwrap().contains("line 3 "), "{}", answers[2]);
        assert_eq!(answers[3]["decision"], "ImplicitlyDenied");
        let (sound, answers) = judged(b"\xff\xfe\n");
        assert!(!sound && answers[0]["error"].is_string());
    }

    #[test]
    fn a_line_beyond_all_measure_is_refused_without_keeping_it() {
        let endless = io::repeat(b' ').take(LINE_LIMIT as u64 * 2);
        let mut out = Vec::new();
        assert!(!run(endless.chain(format!("\n{CASE}\n").as_bytes()), &mut out).unwrap());
        let lines: Vec<_> = out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with(b"{\"name\":null,\"error\":\"the line is longer than"));
    }

    /// Hands a case out only after the answer to the one before was flushed.
    struct InTurn<'a> {
        flushed: &'a std::cell::Cell<usize>,
        handed: usize,
    }

    impl Read for InTurn<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.handed == 3 {
                return Ok(0);
            }
            assert_eq!(self.flushed.get(), self.handed, "asked for more before the answer was there");
            self.handed += 1;
            (CASE.to_owned() + "\n").as_bytes().read(buffer)
        }
    }

    struct Flushing<'a> {
        flushed: &'a std::cell::Cell<usize>,
        written: usize,
    }

    impl Write for Flushing<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.written += bytes.iter().filter(|byte| **byte == b'\n').count();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.flushed.set(self.written);
            Ok(())
        }
    }

    #[test]
    fn an_answer_comes_before_the_next_case_is_waited_for() {
        let flushed = std::cell::Cell::new(0);
        assert!(run(InTurn { flushed: &flushed, handed: 0 }, &mut Flushing { flushed: &flushed, written: 0 }).unwrap());
        assert_eq!(flushed.get(), 3);
    }
}
