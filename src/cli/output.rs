//! What goes to the terminal: results to standard output, errors and progress to standard error.

use std::fmt::{self, Display};
use std::io::{ErrorKind, IsTerminal, Write};

use doorway::model::ModelError;
use doorway::report::terminal::Colours;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};

/// Whether standard output wants colours.
pub(crate) fn colours() -> Colours {
    let terminal = std::io::stdout().is_terminal();
    if terminal && no_color_is_unset() { Colours::On } else { Colours::Off }
}

fn no_color_is_unset() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes to standard output. Whoever reads it may have seen enough: then the command ends.
pub(crate) fn print(text: impl Display) {
    let mut output = std::io::stdout().lock();
    let written = write!(output, "{text}").and_then(|()| output.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            eprintln!("error: standard output: {error}");
            std::process::exit(2);
        }
        Ok(()) => {}
    }
}

/// Writes a line to standard output.
pub(crate) fn line(text: impl Display) {
    print(format_args!("{text}\n"));
}

/// What is wrong with the input.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something that a sentence says.
    Plain(String),
    /// A place in a model file.
    Model(Box<ModelError>),
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Failure {
        Failure::Model(Box::new(error))
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Plain(text) => writeln!(f, "error: {text}"),
            Failure::Model(error) if error.span.is_none() || is_wide(&error.text) => {
                writeln!(f, "error: {error}")
            }
            Failure::Model(error) => {
                let colours = std::io::stderr().is_terminal() && no_color_is_unset();
                let theme = if colours {
                    GraphicalTheme::unicode()
                } else {
                    GraphicalTheme::unicode_nocolor()
                };
                GraphicalReportHandler::new_themed(theme)
                    .with_links(false)
                    .render_report(f, &Pointed::new(error))
            }
        }
    }
}

/// Whether a text has a line that nobody can look at: then its numbers alone tell the place.
fn is_wide(text: &str) -> bool {
    const WIDEST: usize = 400;
    text.lines().any(|line| line.len() > WIDEST)
}

/// A model error as miette shows it: with the line and a pointer to the word.
#[derive(Debug)]
struct Pointed<'a> {
    error: &'a ModelError,
    source: NamedSource<String>,
}

impl<'a> Pointed<'a> {
    fn new(error: &'a ModelError) -> Pointed<'a> {
        Pointed { error, source: NamedSource::new(&error.file, error.text.clone()) }
    }
}

impl Display for Pointed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error.message)
    }
}

impl std::error::Error for Pointed<'_> {}

impl Diagnostic for Pointed<'_> {
    fn help<'b>(&'b self) -> Option<Box<dyn Display + 'b>> {
        self.error.help.as_ref().map(|help| Box::new(help) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.error.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some("here".into()), span))))
    }
}
