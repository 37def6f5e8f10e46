//! Schemas that the command line names.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use regent_core::engine::Schemas;
use regent_core::value::decode;
use regent_core::{Value, yaml};

/// Reads a schema of the input from a file, or all files in a directory as schemas under their paths without endings.
///
/// # Errors
/// When something cannot be read, or is neither JSON nor YAML.
pub(super) fn load(path: &str) -> Result<Schemas, String> {
    let root = Path::new(path.strip_prefix("file://").unwrap_or(path));
    if !fs::metadata(root).map_err(|error| unreadable("stat", root, &error))?.is_dir() {
        return Ok(Schemas::of_input(read(root)?));
    }
    let mut by_path = BTreeMap::new();
    collect(root, &mut Vec::new(), &mut by_path)?;
    Ok(Schemas { by_path: Some(by_path) })
}

type ByPath = BTreeMap<Vec<Arc<str>>, Value>;

fn collect(folder: &Path, path: &mut Vec<Arc<str>>, found: &mut ByPath) -> Result<(), String> {
    let failed = |error| unreadable("open", folder, &error);
    let mut entries = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let file = entry.path();
        // A link to a directory is not followed, lest it leads around in a circle.
        let is_folder = entry.file_type().map_err(|error| unreadable("stat", &file, &error))?.is_dir();
        let name = if is_folder { file.file_name() } else { file.file_stem() };
        path.push(name.unwrap_or_default().to_string_lossy().into());
        if is_folder {
            collect(&file, path, found)?;
        } else {
            found.insert(path.clone(), read(&file)?);
        }
        path.pop();
    }
    Ok(())
}

fn read(file: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(file).map_err(|error| unreadable("open", file, &error))?;
    if let Ok(value) = decode(text.as_bytes()) {
        return Ok(value);
    }
    yaml::parse(&text).map(|(value, _)| value).map_err(|error| format!("{}: {error}", file.display()))
}

fn unreadable(what: &str, path: &Path, error: &std::io::Error) -> String {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    format!("{what} {}: {why}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_holds_schemas_under_their_paths() {
        let folder = std::env::temp_dir().join(format!("regent-schemas-{}", std::process::id()));
        fs::create_dir_all(folder.join("k8s")).expect("a folder");
        fs::write(folder.join("acl.json"), r#"{"type": "object"}"#).expect("a file");
        fs::write(folder.join("k8s/pod.v1.yaml"), "type: array\n").expect("a file");
        let loaded = load(&folder.display().to_string()).map(|schemas| schemas.by_path.unwrap_or_default());
        let single = load(&folder.join("acl.json").display().to_string());
        fs::remove_dir_all(&folder).expect("the folder goes");
        let paths: Vec<String> = loaded.expect("schemas").keys().map(|path| path.join("/")).collect();
        assert_eq!(paths, ["acl", "k8s/pod.v1"]);
        assert!(single.expect("a schema").input().is_some());
        assert!(load("/nowhere/at/all").expect_err("none").ends_with("no such file or directory"));
    }
}
