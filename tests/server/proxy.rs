//! A proxy between a client and the server, which does to commands what a network and a replica set
//! do: it cuts the connection, before the server has a command or after, or answers in its place.
//!
//! It speaks MongoDB's wire protocol as far as it has to (manual, *reference/mongodb-wire-protocol*):
//! a message is a header of four numbers, and of an `OP_MSG` flags and sections of BSON.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use doorway::store::mongo::driver::bson::{Bson, Document, doc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is done to one command.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The server never gets it, and the connection is cut.
    LostRequest,
    /// The server does it, and the connection is cut before the reply.
    LostReply,
    /// The server does not do it: it is not primary any more.
    NotPrimary,
    /// The server does it, and says that no majority is known to have it.
    NoMajority,
}

/// Every fault.
pub(crate) const FAULTS: [Fault; 4] =
    [Fault::LostRequest, Fault::LostReply, Fault::NotPrimary, Fault::NoMajority];

/// What the proxy does to a command.
pub(crate) enum Action {
    Pass,
    Fail(Fault),
    /// It is held back until the plan says otherwise, and is lost then.
    Hold,
    /// The reply is changed on its way.
    Change(fn(&mut Document)),
}

/// Decides what is done to a command: it sees the whole command.
pub(crate) type Plan = Arc<dyn Fn(&Document) -> Action + Send + Sync>;

/// A proxy, until it is dropped.
pub(crate) struct Proxy {
    port: u16,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// A proxy in front of the server at this address (`host:port`).
    pub(crate) async fn before(server: String, plan: Plan) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, plan) = (server.clone(), Arc::clone(&plan));
                tokio::spawn(async move {
                    // Its end is that of the connection: nobody else has to know of it.
                    let _ = relay(client, &server, &plan).await;
                });
            }
        });
        Proxy { port, accepting }
    }

    /// The address for a client, with further options of the URI.
    pub(crate) fn uri(&self, options: &str) -> String {
        let port = self.port;
        let fixed = "directConnection=true&serverMonitoringMode=poll";
        format!("mongodb://127.0.0.1:{port}/?{fixed}{options}")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A message as it stands on the wire.
struct Message(Vec<u8>);

const HEADER: usize = 16;
const OP_MSG: i32 = 2013;

impl Message {
    async fn read(from: &mut TcpStream) -> io::Result<Message> {
        let mut bytes = vec![0; HEADER];
        from.read_exact(&mut bytes).await?;
        let length = number(&bytes, 0) as usize;
        bytes.resize(length.max(HEADER), 0);
        from.read_exact(&mut bytes[HEADER..]).await?;
        Ok(Message(bytes))
    }

    /// The command or the reply in it, with the documents that stand beside it as an array.
    fn content(&self) -> Option<Document> {
        if number(&self.0, 12) != OP_MSG {
            return None;
        }
        let mut rest = &self.0[HEADER + 4..];
        let mut content = Document::new();
        while let Some((kind, section)) = rest.split_first() {
            let length = number(section, 0) as usize;
            match kind {
                0 => content.extend(Document::from_reader(&section[..length]).ok()?),
                _ => {
                    let name_end = 4 + section[4..].iter().position(|byte| *byte == 0)?;
                    let name = String::from_utf8(section[4..name_end].to_vec()).ok()?;
                    content.insert(name, documents(&section[name_end + 1..length])?);
                }
            }
            rest = &section[length..];
        }
        Some(content)
    }

    /// A reply with this content to the message with this header.
    fn reply(to: &Message, content: &Document) -> Message {
        let body = content.to_vec().unwrap();
        let length = (HEADER + 4 + 1 + body.len()) as i32;
        let mut bytes = Vec::new();
        for number in [length, 0, number(&to.0, 4), OP_MSG, 0] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.push(0);
        bytes.extend(body);
        Message(bytes)
    }

    async fn write(&self, to: &mut TcpStream) -> io::Result<()> {
        to.write_all(&self.0).await
    }
}

fn number(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn documents(mut bytes: &[u8]) -> Option<Vec<Bson>> {
    let mut documents = Vec::new();
    while !bytes.is_empty() {
        let length = number(bytes, 0) as usize;
        documents.push(Bson::Document(Document::from_reader(&bytes[..length]).ok()?));
        bytes = &bytes[length..];
    }
    Some(documents)
}

async fn relay(mut client: TcpStream, server: &str, plan: &Plan) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    loop {
        let request = Message::read(&mut client).await?;
        let action = request.content().map_or(Action::Pass, |command| plan(&command));
        match action {
            Action::Fail(Fault::LostRequest) => return Ok(()),
            Action::Hold => {
                let command = request.content().unwrap_or_default();
                while matches!(plan(&command), Action::Hold) {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                return Ok(());
            }
            Action::Fail(Fault::NotPrimary) => {
                Message::reply(&request, &not_primary()).write(&mut client).await?;
                continue;
            }
            _ => request.write(&mut server).await?,
        }
        let reply = Message::read(&mut server).await?;
        match action {
            Action::Fail(Fault::LostReply) => return Ok(()),
            Action::Fail(Fault::NoMajority) => {
                changed(&request, &reply, no_majority).write(&mut client).await?;
            }
            Action::Change(change) => changed(&request, &reply, change).write(&mut client).await?,
            _ => reply.write(&mut client).await?,
        }
    }
}

fn changed(request: &Message, reply: &Message, change: fn(&mut Document)) -> Message {
    let mut content = reply.content().unwrap();
    change(&mut content);
    Message::reply(request, &content)
}

/// What a member says that is no longer primary (error 10107, *NotWritablePrimary*).
fn not_primary() -> Document {
    doc! {
        "ok": 0.0,
        "errmsg": "not primary",
        "code": 10107,
        "codeName": "NotWritablePrimary",
        "errorLabels": ["RetryableWriteError"],
    }
}

/// What a primary says where a majority did not have the write in time (error 64).
fn no_majority(reply: &mut Document) {
    let error = doc! {
        "code": 64,
        "codeName": "WriteConcernTimeout",
        "errmsg": "waiting for replication timed out",
    };
    reply.insert("writeConcernError", error);
}
