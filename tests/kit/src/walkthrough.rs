//! A page of the manual, gone through as its reader would.

use std::ffi::OsStr;
use std::path::Path;

/// The steps of a page: files that it has its reader write, and commands that it has them type, with what those show.
///
/// A fenced block whose first line names a file after the language (`yaml config.yaml`) is such a file. In a block of the
/// language `console`, lines that begin with `$ ` are commands, and the others what is shown; `…` stands for anything. A
/// command that ends with `&` stays behind, unseen, until the end.
#[derive(Debug)]
pub struct Walkthrough {
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Write { file: String, text: String },
    Type { command: String, shown: String },
}

impl Walkthrough {
    /// The steps of a text in Markdown.
    ///
    /// # Panics
    /// If a block shows something that no command has said.
    pub fn of(page: &str) -> Self {
        let blocks = page.split("```").skip(1).step_by(2);
        let mut steps = Vec::new();
        for block in blocks {
            let (head, text) = block.split_once('\n').unwrap_or((block, ""));
            match head.split_once(' ') {
                None if head == "console" => type_in(text, &mut steps),
                Some((_, file)) => steps.push(Step::Write { file: file.to_owned(), text: text.to_owned() }),
                None => {}
            }
        }
        Self { steps }
    }

    /// Puts one text in place of another one in all that is written and typed.
    #[must_use]
    pub fn replacing(mut self, from: &str, to: &str) -> Self {
        for step in &mut self.steps {
            match step {
                Step::Write { text, .. } => *text = text.replace(from, to),
                Step::Type { command, .. } => *command = command.replace(from, to),
            }
        }
        self
    }

    /// Goes through the steps in a folder; `programs` comes first on `PATH`.
    ///
    /// # Panics
    /// If a command fails, or shows something else.
    pub async fn go(
        &self,
        folder: &Path,
        programs: &Path,
        variables: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) {
        let path = std::env::var("PATH").unwrap_or_default();
        // Ends what does not end by itself, and lets it say how far it came.
        let mut command = tokio::process::Command::new("timeout");
        command.args(["120", "bash", "-c"]).arg(self.script()).current_dir(folder).envs(variables);
        command.env("PATH", format!("{}:{path}", programs.display()));
        let output = command.output().await.expect("bash can be run");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut seen = told.split("=== step\n").skip(1);
        for step in &self.steps {
            let Step::Type { command, shown } = step else { continue };
            let seen = seen.next().unwrap_or_default();
            assert!(is_shown(shown.trim_end(), seen.trim_end()), "$ {command}\n{seen}\nis not\n{shown}\n{errors}");
        }
        assert!(output.status.success(), "{errors}");
    }

    /// What types the steps, and says where each begins.
    fn script(&self) -> String {
        let end = "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\ntrap 'exit 1' TERM\nset -e\n";
        let lines = self.steps.iter().map(|step| match step {
            Step::Write { file, text } => {
                format!("mkdir -p \"$(dirname '{file}')\"\ncat > '{file}' <<'=== end of file'\n{text}=== end of file\n")
            }
            Step::Type { command, .. } => {
                // What stays behind has no say on the output.
                let command = match command.strip_suffix(" &") {
                    Some(command) => format!("{command} >/dev/null 2>&1 &"),
                    None => command.clone(),
                };
                format!("echo '=== step'\n{command}\n")
            }
        });
        format!("{end}{}", lines.collect::<String>())
    }
}

fn type_in(text: &str, steps: &mut Vec<Step>) {
    for line in text.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step::Type { command: command.to_owned(), shown: String::new() }),
            (None, Some(Step::Type { shown, .. })) => {
                shown.push_str(line);
                shown.push('\n');
            }
            (None, _) => panic!("{line:?} is shown by nobody"),
        }
    }
}

/// Whether the text is what is shown, where `…` stands for anything.
fn is_shown(shown: &str, text: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_stand_for_anything() {
        for (shown, text) in [("a", "a"), ("a…", "abc"), ("…c", "abc"), ("a…c…e", "abcde"), ("…", ""), ("", "")]
        {
            assert!(is_shown(shown, text), "{shown} {text}");
        }
        for (shown, text) in [("a", "ab"), ("a…", "b"), ("…c", "cb"), ("a…x…e", "abcde"), ("a", "")] {
            assert!(!is_shown(shown, text), "{shown} {text}");
        }
    }

    #[tokio::test]
    async fn files_are_written_and_commands_typed() {
        let page = "Write\n\n```text a/b.txt\none\n```\n\nand type\n\n```console\n$ sleep 100 &\n$ cat a/b.txt\no…e\n$ cd a\n```\n";
        let folder = tempfile::tempdir().expect("a folder");
        let walkthrough = Walkthrough::of(page).replacing("b.txt", "c.txt").replacing("cat a/c.txt", "cat a/b.txt");
        walkthrough.go(folder.path(), folder.path(), [("A", "b")]).await;
    }
}
