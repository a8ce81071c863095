//! Serves the built page on a free port of the loopback interface.

use std::{
    fs,
    io::Write,
    path::{Component, Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use tiny_http::{Header, Method, Response};

/// A server of one folder; it ends when dropped.
pub struct Server {
    http: Arc<tiny_http::Server>,
    thread: Option<JoinHandle<()>>,
    folder: PathBuf,
    address: String,
    down: Arc<AtomicBool>,
}

impl Server {
    /// Starts to serve the folder, which must hold an `index.html`.
    pub fn start(folder: PathBuf) -> Result<Self, String> {
        if !folder.join("index.html").is_file() {
            return Err(format!("there is no index.html in {}", folder.display()));
        }
        let http = tiny_http::Server::http("127.0.0.1:0").map_err(|error| error.to_string())?;
        let http = Arc::new(http);
        let address = format!("http://{}", http.server_addr());
        let down = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (http, folder, down) = (Arc::clone(&http), folder.clone(), Arc::clone(&down));
            move || {
                for request in http.incoming_requests() {
                    if down.load(Ordering::SeqCst) {
                        // No answer of HTTP, on a connection that may have been open for long: the
                        // browser takes it for a failure of the network.
                        let mut answer = request.into_writer();
                        let _ = answer.write_all(b"nobody is here\r\n\r\n");
                        let _ = answer.flush();
                        continue;
                    }
                    let response = if *request.method() == Method::Get {
                        answer(&folder, request.url())
                    } else {
                        Response::from_data(Vec::new()).with_status_code(405)
                    };
                    // A browser that goes away while it is answered is no fault of the page.
                    let _ = request.respond(response);
                }
            }
        });
        Ok(Self {
            http,
            thread: Some(thread),
            folder,
            address,
            down,
        })
    }

    /// From now on requests fail, as they do without a network.
    pub fn go_down(&self) {
        self.down.store(true, Ordering::SeqCst);
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
        self.http.unblock();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(folder: &Path, url: &str) -> Response<std::io::Cursor<Vec<u8>>> {
    let Some(file) = file_of(folder, url) else {
        return Response::from_data(b"there is no such file".to_vec()).with_status_code(404);
    };
    match fs::read(&file) {
        Ok(bytes) => Response::from_data(bytes).with_header(content_type(&file)),
        Err(error) => Response::from_data(error.to_string().into_bytes()).with_status_code(500),
    }
}

/// The file of a URL's path; nothing outside the folder is one.
fn file_of(folder: &Path, url: &str) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next()?.trim_start_matches('/');
    let path = Path::new(if path.is_empty() { "index.html" } else { path });
    let stays_inside = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    Some(folder.join(path)).filter(|file| stays_inside && file.is_file())
}

fn content_type(file: &Path) -> Header {
    let value = match file
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default()
    {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript",
        "css" => "text/css",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    };
    Header::from_bytes("Content-Type", value).expect("these values are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serves_nothing_outside_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(
            file_of(folder, "/Cargo.toml?x=1"),
            Some(folder.join("Cargo.toml"))
        );
        assert_eq!(file_of(folder, "/../Cargo.toml"), None);
        assert_eq!(file_of(folder, "//etc/passwd"), None);
        assert_eq!(file_of(folder, "/missing"), None);
    }
}
