//! `man`: pages from clap's definition of the command line. It asks nobody; `--dir` alone writes, and only pages.

use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::roff::{Roff, roman};

use crate::host::console::out_bytes;

use super::args::{Cli, Man};
use super::error::{Exit, Failure};

pub fn run(args: &Man) -> Result<Exit, Failure> {
    let program = program();
    match &args.dir {
        Some(folder) => write_all(&program, folder)?,
        None => out_bytes(&page(find(&program, &args.of)?)?),
    }
    Ok(Exit::Done)
}

/// Without `help`, which has no page of its own.
fn program() -> Command {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    program
}

fn write_all(command: &Command, folder: &Path) -> Result<(), Failure> {
    let file = folder.join(clap_mangen::Man::new(command.clone()).get_filename());
    #[expect(clippy::disallowed_methods, reason = "no secret: a page that everybody may read, with the usual mode")]
    std::fs::write(&file, page(command)?).map_err(|error| {
        Failure::new(Exit::Usage, format!("cannot write the man page {}: {error}", file.display()))
            .hint("name a folder that is there and that you may write to")
    })?;
    command.get_subcommands().try_for_each(|below| write_all(below, folder))
}

fn find<'a>(program: &'a Command, words: &[String]) -> Result<&'a Command, Failure> {
    words.iter().try_fold(program, |above, word| {
        above.find_subcommand(word).ok_or_else(|| {
            Failure::new(Exit::Usage, format!("no man page: {} has no command {word:?}", above.get_name()))
                .hint("`keyrot-me --help` lists the commands")
        })
    })
}

fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let man = clap_mangen::Man::new(command.clone().after_help(None))
        .date(" ") // an empty one is left out, and its neighbour taken for it
        .source(concat!("keyrot-me ", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let mut page = Vec::new();
    let rendered = man.render(&mut page).and_then(|()| section(&after).to_writer(&mut page));
    rendered.map_err(|error| Failure::from(anyhow::Error::new(error)))?;
    Ok(page)
}

/// The text after the help as a section of its own: its first line is the heading, indented lines stay as they are.
/// (clap_mangen calls it EXTRA and fills examples like prose.)
fn section(text: &str) -> Roff {
    let mut roff = Roff::new();
    let Some((first, rest)) = text.split_once('\n') else { return roff };
    let (heading, more) = first.split_once(", ").unwrap_or((first.trim_end_matches(':'), ""));
    roff.control("SH", [heading.to_uppercase().as_str()]);
    let mut kept = false;
    for line in [more].into_iter().chain(rest.lines()).filter(|line| !line.is_empty()) {
        let keep = line.starts_with(' ');
        match (kept, keep) {
            (false, true) => roff.control("nf", []),
            (true, false) => roff.control("fi", []).control("PP", []),
            _ => &mut roff,
        };
        kept = keep;
        roff.text([roman(line)]);
    }
    if kept {
        roff.control("fi", []);
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page_whose_examples_keep_their_lines() {
        let program = program();
        let text = String::from_utf8(page(find(&program, &["rotate".to_owned()]).unwrap()).unwrap()).unwrap();
        assert!(text.contains(".SH EXAMPLES\n.nf\n  keyrot\\-me rotate "), "{text}");
        assert!(text.contains(".fi\n.PP\nAfter an interruption"), "{text}");
        assert!(!text.contains("EXTRA"), "{text}");
        let folder = tempfile::tempdir().unwrap();
        write_all(&program, folder.path()).unwrap();
        for name in ["keyrot-me.1", "keyrot-me-rotate.1", "keyrot-me-schedule-install.1"] {
            assert!(folder.path().join(name).is_file(), "{name}");
        }
    }

    #[test]
    fn a_command_that_is_not_there_and_a_folder_that_is_not_there_are_named() {
        let program = program();
        let words = ["store".to_owned(), "steal".to_owned()];
        let failure = find(&program, &words).unwrap_err();
        assert_eq!((failure.exit, failure.message.contains("\"steal\"")), (Exit::Usage, true));
        let failure = write_all(&program, Path::new("no/such/folder")).unwrap_err();
        assert_eq!((failure.exit, failure.message.contains("no/such/folder")), (Exit::Usage, true));
    }
}
