//! Serves the built page on a free port of the loopback interface.

use std::{
    convert::Infallible,
    fs,
    net::TcpListener,
    path::{Component, Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
};

use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{runtime::Builder, sync::oneshot};

/// A server of one folder. Dropped, it is gone as if the network was: nobody listens, and the
/// connections that it had are closed.
pub struct Server {
    /// Whose end is the server's.
    life: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
    folder: PathBuf,
    address: String,
}

impl Server {
    /// Starts to serve the folder, which must hold an `index.html`.
    pub fn start(folder: PathBuf) -> Result<Self, String> {
        if !folder.join("index.html").is_file() {
            return Err(format!("there is no index.html in {}", folder.display()));
        }
        let told = |error: std::io::Error| error.to_string();
        let listener = TcpListener::bind("127.0.0.1:0").map_err(told)?;
        listener.set_nonblocking(true).map_err(told)?;
        let address = format!("http://{}", listener.local_addr().map_err(told)?);
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(told)?;
        let (life, end) = oneshot::channel();
        let served = Arc::from(folder.as_path());
        let thread = std::thread::spawn(move || {
            runtime.spawn(serve(listener, served));
            // With the runtime, its connections go.
            let _ = runtime.block_on(end);
        });
        Ok(Self {
            life: Some(life),
            thread: Some(thread),
            folder,
            address,
        })
    }

    /// `http://127.0.0.1:<port>`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The folder served.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.life.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, folder: Arc<Path>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("it does not block");
    while let Ok((stream, _)) = listener.accept().await {
        let folder = Arc::clone(&folder);
        let answers = service_fn(move |request: Request<Incoming>| {
            let answer = answer(&folder, request.method(), request.uri().path());
            std::future::ready(Ok::<_, Infallible>(answer))
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answers);
        // A browser that goes away while it is answered is no fault of the page.
        tokio::spawn(async { drop(connection.await) });
    }
}

fn answer(folder: &Path, method: &Method, path: &str) -> Response<Full<Bytes>> {
    let (status, kind, body) = match file_of(folder, path) {
        _ if method != Method::GET => (StatusCode::METHOD_NOT_ALLOWED, TEXT, Vec::new()),
        None => (StatusCode::NOT_FOUND, TEXT, b"there is no such file".into()),
        Some(file) => match fs::read(&file) {
            Ok(bytes) => (StatusCode::OK, content_type(&file), bytes),
            Err(error) => {
                let reason = error.to_string().into_bytes();
                (StatusCode::INTERNAL_SERVER_ERROR, TEXT, reason)
            }
        },
    };
    let answer = Response::builder().status(status);
    let answer = answer.header(CONTENT_TYPE, kind);
    answer
        .body(Full::from(body))
        .expect("these headers are valid")
}

const TEXT: &str = "text/plain; charset=utf-8";

/// The file of a URL's path; nothing outside the folder is one.
fn file_of(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = path.trim_start_matches('/');
    let path = Path::new(if path.is_empty() { "index.html" } else { path });
    let stays_inside = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    Some(folder.join(path)).filter(|file| stays_inside && file.is_file())
}

fn content_type(file: &Path) -> &'static str {
    let ending = file.extension().and_then(|ending| ending.to_str());
    match ending.unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript",
        "css" => "text/css",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serves_nothing_outside_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(
            file_of(folder, "/Cargo.toml"),
            Some(folder.join("Cargo.toml"))
        );
        assert_eq!(file_of(folder, "/../Cargo.toml"), None);
        assert_eq!(file_of(folder, "//etc/passwd"), None);
        assert_eq!(file_of(folder, "/missing"), None);
    }
}
