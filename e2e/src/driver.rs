//! Chromium's driver, and browsers started through it.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

/// What makes Chromium start without a display, as root, and without calling home.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A running driver; it is ended when dropped, and its browsers with it.
pub struct Driver {
    process: Child,
    address: String,
}

/// A browser with an empty profile.
pub struct Browser {
    pub client: Client,
    profile: PathBuf,
}

impl Driver {
    /// Starts the driver that CHROMEDRIVER names, else the one on PATH, on a free port.
    pub fn start() -> Result<Self, String> {
        let program = env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let mut process = Command::new(&program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", program.display()))?;
        let stdout = process.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).lines();
        // "ChromeDriver was started successfully on port 38163."
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("successfully on port ")?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        let Some(port) = port else {
            let _ = process.kill();
            let _ = process.wait();
            return Err(format!("{} did not tell its port", program.display()));
        };
        // What else it says is of no interest, but somebody must read it.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self {
            process,
            address: format!("http://127.0.0.1:{port}"),
        })
    }

    /// Starts a browser.
    pub async fn browser(&self) -> Result<Browser, String> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let profile = format!("costack-e2e-{}-{number}", std::process::id());
        let profile = env::temp_dir().join(profile);
        let _ = fs::remove_dir_all(&profile);
        fs::create_dir_all(&profile).map_err(|error| error.to_string())?;
        let mut flags = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", profile.display()));
        let capabilities = json!({
            "goog:chromeOptions": {"args": flags},
            "goog:loggingPrefs": {"browser": "ALL"},
            // A busy machine makes scripts wait that time the page.
            "timeouts": {"script": 180_000},
        });
        let serde_json::Value::Object(capabilities) = capabilities else {
            unreachable!()
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.address)
            .await
            .map_err(|error| format!("the browser does not start: {error}"))?;
        Ok(Browser { client, profile })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser {
    /// Ends it and removes its profile.
    pub async fn close(&self) {
        let _ = self.client.clone().close().await;
        let _ = fs::remove_dir_all(&self.profile);
    }
}
