//! The server of a soak: one that is there, or one that the soak starts, kills and starts again.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cli::output::Failure;

/// Starts what it is given, says its number, and kills it at the end of its input: also when the
/// driver is killed, the server does not stay.
const KEEPER: &str = r#"
log=$1; shift
"$@" >>"$log" 2>&1 </dev/null &
server=$!
echo "$server"
read -r _
kill -9 "$server" 2>/dev/null
wait "$server" 2>/dev/null
"#;

/// The server of a soak.
pub(crate) enum Server {
    /// It was there before, and is left alone.
    Theirs { uri: String },
    /// The soak has started it.
    Ours(Box<Ours>),
}

pub(crate) struct Ours {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    keeper: Option<(Child, i32)>,
    thaws: Option<Instant>,
    starts: Option<Instant>,
}

impl Server {
    /// The server of this URI; else one that is started on a free port, with its data in the folder.
    pub(crate) fn start(
        uri: Option<&str>,
        program: Option<&Path>,
        folder: &Path,
    ) -> Result<Server, Failure> {
        if let Some(uri) = uri {
            return Ok(Server::Theirs { uri: uri.to_owned() });
        }
        let program = program.map(Path::to_owned).or_else(find).ok_or_else(|| {
            Failure::Plain(
                "no server to soak: give one that runs with --uri (or MONGODB_URI), or a program \
                 with --server, or have mongod on the path"
                    .into(),
            )
        })?;
        let folder = folder.join("server");
        let failed = |error| Failure::Plain(format!("{}: {error}", folder.display()));
        std::fs::create_dir_all(folder.join("data")).map_err(failed)?;
        let port = free_port()?;
        let mut ours = Ours { program, folder, port, keeper: None, thaws: None, starts: None };
        ours.begin()?;
        Ok(Server::Ours(Box::new(ours)))
    }

    pub(crate) fn uri(&self) -> String {
        match self {
            Server::Theirs { uri } => uri.clone(),
            Server::Ours(ours) => format!(
                "mongodb://127.0.0.1:{}/?directConnection=true&serverMonitoringMode=poll\
                 &serverSelectionTimeoutMS=2000&connectTimeoutMS=1000",
                ours.port
            ),
        }
    }

    /// What it is, for people.
    pub(crate) fn name(&self) -> String {
        match self {
            Server::Theirs { .. } => "a server that was there (left alone)".into(),
            Server::Ours(ours) => ours.program.display().to_string(),
        }
    }

    /// Kills it, to be started again after a while; `false` where it is not to be killed.
    pub(crate) fn kill(&mut self, lasting: Duration) -> bool {
        let Server::Ours(ours) = self else { return false };
        if ours.starts.is_some() {
            return false;
        }
        ours.end();
        ours.starts = Some(Instant::now() + lasting);
        true
    }

    /// Freezes it for a while; `false` where it is not to be frozen.
    pub(crate) fn freeze(&mut self, lasting: Duration) -> bool {
        let Server::Ours(ours) = self else { return false };
        if ours.starts.is_some() || ours.thaws.is_some() {
            return false;
        }
        ours.signal(Signal::SIGSTOP);
        ours.thaws = Some(Instant::now() + lasting);
        true
    }

    /// Starts or thaws it if its time has come.
    pub(crate) fn due(&mut self, now: Instant) -> Result<(), Failure> {
        let Server::Ours(ours) = self else { return Ok(()) };
        if ours.thaws.is_some_and(|at| at <= now) {
            ours.thaws = None;
            ours.signal(Signal::SIGCONT);
        }
        if ours.starts.is_some_and(|at| at <= now) {
            ours.starts = None;
            ours.begin()?;
        }
        Ok(())
    }

    /// Thaws or starts it at once.
    pub(crate) fn calm(&mut self) {
        if let Server::Ours(ours) = self {
            let now = Instant::now();
            ours.thaws = ours.thaws.map(|_| now);
            ours.starts = ours.starts.map(|_| now);
        }
    }
}

impl Ours {
    fn begin(&mut self) -> Result<(), Failure> {
        let failed = |error| Failure::Plain(format!("{}: {error}", self.program.display()));
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(self.folder.join("log"))
            .arg(&self.program)
            .args(self.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let mut number = String::new();
        if let Some(output) = keeper.stdout.take() {
            BufReader::new(output).read_line(&mut number).map_err(failed)?;
        }
        let number = number
            .trim()
            .parse()
            .map_err(|_| Failure::Plain(format!("{} did not start", self.program.display())))?;
        self.keeper = Some((keeper, number));
        Ok(())
    }

    fn arguments(&self) -> Vec<String> {
        let (data, port) = (self.folder.join("data").display().to_string(), self.port.to_string());
        let is_mongod = self.program.file_name().is_some_and(|name| name == "mongod");
        let words: &[&str] = if is_mongod {
            &["--dbpath", &data, "--port", &port, "--bind_ip", "127.0.0.1", "--replSet", "doorway"]
        } else {
            // Without the fifth option SecantusDB forgets what it has acknowledged when it is killed.
            &[
                "--storage-path",
                &data,
                "--port",
                &port,
                "--host",
                "127.0.0.1",
                "--sync-on-commit",
                "--cache-size",
                "256M",
                "--log-level",
                "ERROR",
            ]
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn end(&mut self) {
        self.thaws = None;
        self.signal(Signal::SIGKILL);
        if let Some((mut keeper, _)) = self.keeper.take() {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some((_, number)) = self.keeper {
            let _ = kill(Pid::from_raw(number), signal);
        }
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.end();
    }
}

/// `mongod` on the path, else the server that this project's tests use.
fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mongod = std::env::split_paths(&path).map(|folder| folder.join("mongod"));
    let tests = std::env::var_os("HOME")
        .map(|home| Path::new(&home).join(".cache/doorway/test-server/bin/secantusd-py"));
    mongod.chain(tests).find(|program| program.exists())
}

fn free_port() -> Result<u16, Failure> {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound
        .map(|address| address.port())
        .map_err(|error| Failure::Plain(format!("no free port: {error}")))
}
