//! What a test does with the page, each as one blocking call.

use std::{
    fmt, fs,
    future::Future,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use fantoccini::{
    Client,
    actions::{InputSource, MouseActions, PointerAction},
    elements::Element,
    error::CmdError,
};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::{
    driver::{Browser, Driver},
    keys,
    server::Server,
    target::Target,
    wire,
};

/// How long an element may take to appear or to change.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often the page is looked at meanwhile.
const PERIOD: Duration = Duration::from_millis(25);

/// The size of the page's area in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewport {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl fmt::Display for Viewport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A browser with the page in it.
///
/// Every method panics, naming the test's line, when the browser refuses or when what it waits for
/// does not come within twenty seconds.
pub struct Page {
    runtime: Runtime,
    browser: Browser,
    address: String,
    folder: PathBuf,
    name: String,
    screenshots: PathBuf,
}

/// Passes a result on, or panics where the test called.
#[track_caller]
fn must<T>(result: Result<T, String>) -> T {
    match result {
        Ok(value) => value,
        Err(reason) => panic!("{reason}"),
    }
}

fn told(error: CmdError) -> String {
    error.to_string()
}

impl Page {
    pub(crate) fn new(
        driver: &Driver,
        server: &Server,
        viewport: Viewport,
        name: String,
        screenshots: PathBuf,
    ) -> Result<Self, String> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let browser = runtime.block_on(driver.browser())?;
        let page = Self {
            runtime,
            browser,
            address: server.address().to_owned(),
            folder: server.folder().to_owned(),
            name,
            screenshots,
        };
        page.try_resize(viewport)?;
        Ok(page)
    }

    fn client(&self) -> &Client {
        &self.browser.client
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Tries until it succeeds, or until patience ends; then the last reason counts.
    fn eventually<T>(&self, attempt: impl FnMut() -> Result<T, String>) -> Result<T, String> {
        self.within(PATIENCE, attempt)
    }

    fn within<T>(
        &self,
        patience: Duration,
        mut attempt: impl FnMut() -> Result<T, String>,
    ) -> Result<T, String> {
        let started = Instant::now();
        loop {
            match attempt() {
                Err(_) if started.elapsed() < patience => std::thread::sleep(PERIOD),
                result => return result,
            }
        }
    }

    /// The only element that is meant.
    fn one(&self, target: Target<'_>) -> Result<Element, String> {
        let mut found = self.wait(target.find_all(self.client()))?;
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(format!("there is no {target}")),
            count => Err(format!("there are {count} of {target}, where one is meant")),
        }
    }

    /// Does something with the only element that is meant, as soon as that works.
    fn with<T, F>(&self, target: Target<'_>, act: impl Fn(Element) -> F) -> Result<T, String>
    where
        F: Future<Output = Result<T, CmdError>>,
    {
        self.eventually(|| {
            let element = self.one(target)?;
            self.wait(act(element))
                .map_err(|error| format!("{target}: {error}"))
        })
    }

    /// Opens a path of the page, such as `/` or `/#/scenario/pingpong`, and waits until it has loaded.
    #[track_caller]
    pub fn open(&self, path: &str) {
        self.open_address(&format!("{}{path}", self.address));
    }

    /// Opens any address.
    #[track_caller]
    pub fn open_address(&self, url: &str) {
        must(self.wait(self.client().goto(url)).map_err(told));
        self.expect_program();
    }

    /// Waits until the program has put the page in the place of what is painted before.
    #[track_caller]
    fn expect_program(&self) {
        self.expect_js("!document.querySelector('.shell')");
    }

    /// A server of the same page for this test alone, which goes when it is dropped.
    #[track_caller]
    pub fn server_apart(&self) -> Server {
        must(Server::start(self.folder.clone()))
    }

    /// Loads the page again.
    #[track_caller]
    pub fn reload(&self) {
        must(self.wait(self.client().refresh()).map_err(told));
        self.expect_program();
    }

    /// The page's address without the server's: `/#/scenario/pingpong`.
    #[track_caller]
    pub fn location(&self) -> String {
        let url = must(self.wait(self.client().current_url()).map_err(told)).to_string();
        url.strip_prefix(&self.address)
            .map_or(url.clone(), str::to_owned)
    }

    /// Gives the page this size exactly, without what a window has around it.
    #[track_caller]
    pub fn resize(&self, viewport: Viewport) {
        must(self.try_resize(viewport));
    }

    fn try_resize(&self, Viewport { width, height }: Viewport) -> Result<(), String> {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .map(drop)
    }

    fn devtools(&self, command: &str, parameters: Value) -> Result<Value, String> {
        self.wait(wire::devtools(self.client(), command, parameters))
    }

    /// Lets style sheets see these media features: `[("prefers-color-scheme", "dark")]`.
    #[track_caller]
    pub fn emulate_media(&self, features: &[(&str, &str)]) {
        let features: Vec<Value> = features
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        must(self.devtools("Emulation.setEmulatedMedia", json!({"features": features})));
    }

    /// Clicks the element, once it can be clicked.
    #[track_caller]
    pub fn click(&self, target: Target<'_>) {
        must(self.with(target, |element| async move { element.click().await }));
    }

    /// Puts the pointer over the element.
    #[track_caller]
    pub fn hover(&self, target: Target<'_>) {
        must(self.with(target, |element| {
            let client = self.client().clone();
            async move {
                let step = PointerAction::MoveToElement {
                    element,
                    duration: None,
                    x: 0.,
                    y: 0.,
                };
                client
                    .perform_actions(MouseActions::new("mouse".to_owned()).then(step))
                    .await
            }
        }));
    }

    /// Replaces what is in a text field.
    #[track_caller]
    pub fn fill(&self, target: Target<'_>, text: &str) {
        must(self.with(target, |element| async move {
            element.clear().await?;
            element.send_keys(text).await
        }));
    }

    /// Types into the element, behind what is there.
    #[track_caller]
    pub fn type_into(&self, target: Target<'_>, text: &str) {
        must(self.with(
            target,
            |element| async move { element.send_keys(text).await },
        ));
    }

    /// Chooses an option of a `<select>` by the text that is shown.
    #[track_caller]
    pub fn choose(&self, target: Target<'_>, option: &str) {
        must(self.with(target, |element| async move {
            element.select_by_label(option).await
        }));
    }

    /// Presses a key or a chord, wherever the focus is: `Enter`, `Control+Shift+z`, `ArrowLeft`.
    #[track_caller]
    pub fn press(&self, chord: &str) {
        let chord = must(keys::chord(chord));
        must(
            self.wait(self.client().perform_actions(keys::actions(&chord)))
                .map_err(told),
        );
    }

    /// The element's text as it is shown.
    #[track_caller]
    pub fn text(&self, target: Target<'_>) -> String {
        must(self.with(target, |element| async move { element.text().await }))
    }

    /// The texts of all elements that are meant now, in the document's order. It does not wait.
    #[track_caller]
    pub fn texts(&self, target: Target<'_>) -> Vec<String> {
        must(self.wait(async {
            let mut texts = Vec::new();
            for element in target.find_all(self.client()).await? {
                texts.push(element.text().await.map_err(told)?);
            }
            Ok(texts)
        }))
    }

    /// How many elements are meant now. It does not wait.
    #[track_caller]
    pub fn count(&self, target: Target<'_>) -> usize {
        must(self.wait(target.find_all(self.client()))).len()
    }

    /// The element's attribute.
    #[track_caller]
    pub fn attribute(&self, target: Target<'_>, name: &str) -> Option<String> {
        must(self.with(target, |element| async move { element.attr(name).await }))
    }

    /// What is in a field: its `value`, which its attribute does not follow.
    #[track_caller]
    pub fn value(&self, target: Target<'_>) -> String {
        must(self.with(target, |element| async move { element.prop("value").await }))
            .unwrap_or_default()
    }

    /// Waits until the element is there, the only one that is meant.
    #[track_caller]
    pub fn expect(&self, target: Target<'_>) {
        must(self.eventually(|| self.one(target).map(drop)));
    }

    /// Waits until no such element is there.
    #[track_caller]
    pub fn expect_gone(&self, target: Target<'_>) {
        must(
            self.eventually(|| match self.wait(target.find_all(self.client()))?.len() {
                0 => Ok(()),
                count => Err(format!("there are still {count} of {target}")),
            }),
        );
    }

    /// Waits until the element shows this text.
    #[track_caller]
    pub fn expect_text(&self, target: Target<'_>, expected: &str) {
        must(self.eventually(|| {
            let element = self.one(target)?;
            let text = self.wait(element.text()).map_err(told)?;
            if text == expected {
                return Ok(());
            }
            Err(format!("{target} shows {text:?}, not {expected:?}"))
        }));
    }

    /// Waits until a JavaScript expression is true.
    #[track_caller]
    pub fn expect_js(&self, expression: &str) {
        self.expect_within(PATIENCE, expression);
    }

    /// Waits longer, or less long, until a JavaScript expression is true.
    #[track_caller]
    pub fn expect_within(&self, patience: Duration, expression: &str) {
        must(self.within(patience, || {
            let script = format!("return Boolean({expression})");
            match self
                .wait(self.client().execute(&script, Vec::new()))
                .map_err(told)?
            {
                Value::Bool(true) => Ok(()),
                _ => Err(format!("it does not come true: {expression}")),
            }
        }));
    }

    /// Runs JavaScript in the page, `arguments` and `return` included, and gives what it returns. A
    /// returned promise is waited for. A library goes in as its text: `page.js(AXE_SOURCE, &[])`.
    #[track_caller]
    pub fn js(&self, script: &str, arguments: &[Value]) -> Value {
        must(
            self.wait(self.client().execute(script, arguments.to_vec()))
                .map_err(told),
        )
    }

    /// Keeps a picture of what is shown, as `<test>@<viewport>-<name>.png`, and tells where.
    #[track_caller]
    pub fn screenshot(&self, name: &str) -> PathBuf {
        let file = format!("{}-{name}", self.name);
        self.picture(&file)
            .unwrap_or_else(|| panic!("no screenshot can be had"))
    }

    pub(crate) fn picture(&self, name: &str) -> Option<PathBuf> {
        let png = self.wait(self.client().screenshot()).ok()?;
        let file = self.screenshots.join(format!("{name}.png"));
        fs::write(&file, png).ok()?;
        Some(file)
    }

    /// Takes the errors of the browser's console, which then no longer fail the test.
    #[track_caller]
    pub fn take_console_errors(&self) -> Vec<String> {
        must(self.console_errors())
    }

    pub(crate) fn console_errors(&self) -> Result<Vec<String>, String> {
        self.wait(wire::console_errors(self.client()))
    }

    /// The folder of the built page, for tests of its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.wait(self.browser.close());
    }
}
