//! A server for tests: `MONGODB_URI`, else `mongod` on the path, else the one that
//! `.ci/test-server` installs.
//!
//! One that is started here listens on a free port of the loopback interface, keeps its data in a
//! temporary folder, and stops with this process, however that ends: a shell beside it waits for
//! the end of a pipe.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use doorway::store::mongo::MongoStore;
use doorway::store::mongo::driver::{Client, bson::doc};

/// Starts what it is given, again for each line that it reads; at the end of its input it stops it
/// and removes its data.
const KEEPER: &str = r#"
folder=$1; shift
start() { "$@" >>"$folder/log" 2>&1 </dev/null & server=$!; echo "$server"; }
start "$@"
while read -r _; do start "$@"; done
kill "$server" 2>/dev/null; kill -CONT "$server" 2>/dev/null
wait "$server" 2>/dev/null
rm -rf "$folder"
"#;

/// How long a server may take to answer after its start.
const START: Duration = Duration::from_secs(60);

/// Which program a server is, and how it is started.
enum Program {
    Mongod(PathBuf),
    Secantus(PathBuf),
}

/// A server that answers.
pub(crate) struct Server {
    uri: String,
    /// What it is, for a person: the program and where it is from.
    pub(crate) name: &'static str,
    process: Option<Mutex<Process>>,
}

struct Process {
    keeper: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pid: String,
}

/// The server that all tests of this process share, which answers. `None`, said in a line, where there is
/// none to be had.
///
/// # Panics
///
/// Where there is none and `DOORWAY_REQUIRE_SERVER` is 1.
pub(crate) async fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    let server = SHARED.get_or_init(|| Server::begin(&[])).as_ref();
    answers(server).await
}

/// Another one beside it, for tests that keep it busy; the same where `MONGODB_URI` says which.
pub(crate) async fn second() -> Option<&'static Server> {
    static SECOND: OnceLock<Option<Server>> = OnceLock::new();
    let server = SECOND.get_or_init(|| Server::begin(&[])).as_ref();
    answers(server).await
}

/// A server of a test's own, which it may kill; its writes are on the disk when they are acknowledged.
pub(crate) async fn own() -> Option<Server> {
    if env::var_os("MONGODB_URI").is_some() {
        println!("skipped: the server of MONGODB_URI is not one to kill");
        return None;
    }
    fresh(&["--sync-on-commit"]).await
}

/// A server that nothing was done on yet; the one that there is where `MONGODB_URI` says which.
pub(crate) async fn fresh(durable: &[&str]) -> Option<Server> {
    let server = Server::begin(durable);
    answers(server.as_ref()).await?;
    server
}

async fn answers(server: Option<&Server>) -> Option<&Server> {
    let required = env::var("DOORWAY_REQUIRE_SERVER").is_ok_and(|value| value == "1");
    match server {
        Some(server) => server.wait().await,
        None if required => panic!("no MongoDB server: run .ci/test-server, or set MONGODB_URI"),
        None => println!("skipped: no MongoDB server (run .ci/test-server, or set MONGODB_URI)"),
    }
    server
}

impl Server {
    fn begin(durable: &[&str]) -> Option<Server> {
        if let Ok(uri) = env::var("MONGODB_URI") {
            return Some(Server { uri, name: "the server of MONGODB_URI", process: None });
        }
        let program = find()?;
        let folder =
            env::temp_dir().join(format!("doorway-{}-{}", std::process::id(), free_port()));
        std::fs::create_dir_all(folder.join("data")).unwrap();
        let port = free_port().to_string();
        let arguments = program.arguments(&folder.join("data"), &port, durable);
        let uri =
            format!("mongodb://127.0.0.1:{port}/?directConnection=true&serverMonitoringMode=poll");
        let name = program.name();
        Some(Server { uri, name, process: Some(Mutex::new(Process::start(&folder, &arguments))) })
    }

    /// The address, with options in it.
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// The address without options: the host and the port.
    pub(crate) fn address(&self) -> String {
        let (_, rest) = self.uri.split_once("://").unwrap();
        let host = rest.split(['/', '?']).next().unwrap();
        host.rsplit('@').next().unwrap().split(',').next().unwrap().to_owned()
    }

    /// A store on a database of this name.
    pub(crate) async fn store(&self, database: &str) -> MongoStore {
        MongoStore::connect(&self.uri, database).await.unwrap()
    }

    /// What the server is, with its version, for a person.
    pub(crate) async fn described(&self) -> String {
        let said = self.store("admin").await.server_version().await.unwrap();
        match self.name {
            "SecantusDB" => format!("SecantusDB {}, which says it is {said}", installed()),
            name => format!("{name}, which says it is {said}"),
        }
    }

    /// Waits until it answers as a primary.
    async fn wait(&self) {
        let began = Instant::now();
        let client = Client::with_uri_str(&self.uri).await.unwrap();
        loop {
            let hello = client.database("admin").run_command(doc! {"hello": 1}).await;
            match hello {
                Ok(hello) if hello.get_bool("isWritablePrimary").unwrap_or(false) => return,
                Ok(_) => initiate(&client).await,
                Err(error) => assert!(began.elapsed() < START, "{}: {error}", self.name),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends a signal to the server: `KILL`, `STOP`, `CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let process = self.process.as_ref().unwrap().lock().unwrap();
        let sent = Command::new("kill").args(["-s", signal, &process.pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Starts a server that was killed again, on the same data and port, and waits until it answers.
    pub(crate) async fn restart(&self) {
        self.process.as_ref().unwrap().lock().unwrap().again();
        self.wait().await;
    }
}

/// A `mongod` that was just started becomes a replica set of itself.
async fn initiate(client: &Client) {
    let _ = client.database("admin").run_command(doc! {"replSetInitiate": {}}).await;
}

impl Program {
    fn arguments(&self, data: &Path, port: &str, durable: &[&str]) -> Vec<String> {
        let data = data.display().to_string();
        let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
        match self {
            Program::Mongod(path) => words(&[
                &path.display().to_string(),
                "--dbpath",
                &data,
                "--port",
                port,
                "--bind_ip",
                "127.0.0.1",
                "--replSet",
                "doorway",
                "--setParameter",
                "enableTestCommands=1",
            ]),
            Program::Secantus(path) => [
                words(&[
                    &path.display().to_string(),
                    "--storage-path",
                    &data,
                    "--port",
                    port,
                    "--host",
                    "127.0.0.1",
                    "--enable-test-commands",
                    "--cache-size",
                    "256M",
                    "--log-level",
                    "WARNING",
                ]),
                words(durable),
            ]
            .concat(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Program::Mongod(_) => "mongod",
            Program::Secantus(_) => "SecantusDB",
        }
    }
}

impl Process {
    fn start(folder: &Path, arguments: &[String]) -> Process {
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(folder)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = keeper.stdin.take();
        let output = BufReader::new(keeper.stdout.take().unwrap());
        let mut process = Process { keeper, input, output, pid: String::new() };
        process.read_pid();
        process
    }

    fn again(&mut self) {
        self.input.as_mut().unwrap().write_all(b"again\n").unwrap();
        self.read_pid();
    }

    fn read_pid(&mut self) {
        self.pid.clear();
        self.output.read_line(&mut self.pid).unwrap();
        self.pid.truncate(self.pid.trim_end().len());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.keeper.wait();
    }
}

/// The version of the server that CI installs.
fn installed() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/test-server");
    let script = std::fs::read_to_string(file).unwrap();
    script.lines().find_map(|line| line.strip_prefix("version=")).unwrap().to_owned()
}

fn find() -> Option<Program> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mongod = env::split_paths(&path).map(|folder| folder.join("mongod")).find(|p| p.exists());
    let secantus = || {
        let home = PathBuf::from(env::var_os("HOME")?);
        Some(home.join(".cache/doorway/test-server/bin/secantusd-py")).filter(|p| p.exists())
    };
    mongod.map(Program::Mongod).or_else(|| secantus().map(Program::Secantus))
}

/// A port that is free, below those from which systems take one for a connection (32768 and up on Linux,
/// 49152 and up by RFC 6335): no client of another test comes to have it before the server does.
fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 10_000) as u16;
    let next = || first + TRIED.fetch_add(1, Ordering::Relaxed) % 2_000;
    std::iter::repeat_with(next)
        .take(2_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of 2000 ports is free")
}
