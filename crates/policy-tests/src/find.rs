//! The files under a folder.

use std::path::{Path, PathBuf};

use crate::file::Bad;

/// Folders that are looked into, one inside the other.
const DEEPEST: usize = 64;

/// The file itself, or the YAML and JSON files under a folder in the order of their names. What is hidden is left out, and links to folders are not
/// followed.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>, Bad> {
    let metadata = std::fs::metadata(path).map_err(|error| unread(path, &error))?;
    if !metadata.is_dir() {
        return Ok(vec![path.into()]);
    }
    let mut found = Vec::new();
    walk(path, DEEPEST, &mut found)?;
    Ok(found)
}

fn walk(folder: &Path, deep: usize, found: &mut Vec<PathBuf>) -> Result<(), Bad> {
    let Some(deeper) = deep.checked_sub(1) else {
        return Err(Bad { file: folder.display().to_string(), place: None, what: "the folders are too deep".into() });
    };
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|error| unread(folder, &error))?;
    let mut entries: Vec<_> = entries.into_iter().filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b".")).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type().map_err(|error| unread(&path, &error))?.is_dir() {
            walk(&path, deeper, found)?;
        } else if is_read(&path) && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

fn is_read(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

fn unread(path: &Path, error: &std::io::Error) -> Bad {
    Bad { file: path.display().to_string(), place: None, what: error.to_string() }
}
