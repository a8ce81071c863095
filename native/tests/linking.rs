//! Two versions of the library in one program, and a shared library that has it as well: no name
//! clashes, and none of it must be where it was linked to be. The program has frame pointers, as
//! for `perf`, and follows them from a coroutine into its resumer.
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const TARGET: &str = if cfg!(target_arch = "aarch64") {
    "aarch64-unknown-linux-gnu"
} else if cfg!(target_arch = "x86") {
    "i686-unknown-linux-gnu"
} else {
    "x86_64-unknown-linux-gnu"
};

const WORKSPACE: &str = r#"
[workspace]
resolver = "3"
members = ["host", "plugin", "costack-older"]
"#;

/// Fails to link what has an address in its code that the loader would have to patch, and keeps
/// frame pointers.
const CONFIG: &str = r#"
[build]
rustflags = ["-Clink-arg=-Wl,-z,text", "-Cforce-frame-pointers=yes"]
"#;

const HOST: &str = r#"
[package]
name = "host"
version = "0.1.0"
edition = "2024"

[dependencies]
libc = "0.2"
newer = { package = "costack", path = "NATIVE", default-features = false, features = ["unwind"] }
older = { package = "costack", path = "../costack-older" }
"#;

const PLUGIN: &str = r#"
[package]
name = "plugin"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[dependencies]
newer = { package = "costack", path = "NATIVE", default-features = false, features = ["unwind"] }
"#;

/// The same sources under another version.
const OLDER: &str = r#"
[package]
name = "costack"
version = "0.0.9"
edition = "2024"

[features]
default = ["unwind"]
std = ["dep:libc"]
unwind = ["std"]

[lints.rust]
unexpected_cfgs = "allow"

[dependencies]
costack-engine = { path = "ENGINE" }
libc = { version = "0.2", optional = true }
"#;

/// What each of the three copies does: round trips, an eviction, a panic, a forced unwinding.
const EXERCISE: &str = r#"
#[macro_export]
macro_rules! exercise {
    ($costack:ident) => {{
        use $costack::{Coroutine, SharedStack, State, Yielder};
        let count = |yielder: &Yielder<u32, u32>, mut sum: u32| loop {
            sum += yielder.suspend(sum);
            assert!(sum < 100, "that is enough");
        };
        let stack = SharedStack::new(64 * 1024).unwrap();
        let mut own: Coroutine<u32, u32, ()> = Coroutine::new(count).unwrap();
        let mut a: Coroutine<u32, u32, ()> = unsafe { Coroutine::new_shared(&stack, count) }.unwrap();
        let mut b: Coroutine<u32, u32, ()> = unsafe { Coroutine::new_shared(&stack, count) }.unwrap();
        for (co, first) in [(&mut own, 1), (&mut a, 2), (&mut b, 3)] {
            assert_eq!(co.resume(first), State::Yielded(first));
        }
        for (co, sum) in [(&mut own, 11), (&mut a, 12), (&mut b, 13)] {
            assert_eq!(co.resume(10), State::Yielded(sum));
        }
        let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| a.resume(1000)));
        assert!(panics.is_err() && a.is_finished());
        drop(b);
        own.resume(1).yielded().unwrap()
    }};
}
"#;

const HOST_MAIN: &str = r#"
include!("../../exercise.rs");

/// Functions alone in their sections, so that the linker says where each begins and ends.
macro_rules! alone {
    ($($function:ident in $section:literal: $begin:ident to $end:ident;)*) => {
        unsafe extern "C" {
            $(#[link_name = concat!("__start_", $section)] static $begin: u8;
            #[link_name = concat!("__stop_", $section)] static $end: u8;)*
        }
        $(fn $function() -> std::ops::Range<usize> {
            (&raw const $begin).addr()..(&raw const $end).addr()
        })*
    };
}

alone! {
    where_inside in "chain_inside": INSIDE to INSIDE_END;
    where_resuming in "chain_resuming": RESUMING to RESUMING_END;
    where_outermost in "chain_outermost": OUTERMOST to OUTERMOST_END;
}

/// Follows the chain of frame pointers from a coroutine to `outermost`; the return addresses.
#[inline(never)]
fn return_addresses() -> Vec<usize> {
    let mut frame: *const usize;
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!("mov {}, rbp", out(reg) frame);
        #[cfg(target_arch = "x86")]
        std::arch::asm!("mov {}, ebp", out(reg) frame);
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!("mov {}, x29", out(reg) frame);
    }
    let mut all = Vec::new();
    for _ in 0..64 {
        let address = unsafe { frame.add(1).read() };
        all.push(address);
        if where_outermost().contains(&address) {
            break;
        }
        frame = unsafe { frame.read() as *const usize };
    }
    all
}

type Chained = newer::Coroutine<(), (), Vec<usize>>;

#[inline(never)]
#[unsafe(link_section = "chain_inside")]
fn inside(yielder: &newer::Yielder<(), ()>, (): ()) -> Vec<usize> {
    yielder.suspend(());
    std::hint::black_box(return_addresses())
}

#[inline(never)]
#[unsafe(link_section = "chain_resuming")]
fn resuming(co: &mut Chained) -> Vec<usize> {
    std::hint::black_box(co.resume(()).returned().unwrap())
}

#[inline(never)]
#[unsafe(link_section = "chain_outermost")]
fn outermost(co: &mut Chained) -> Vec<usize> {
    co.resume(());
    std::hint::black_box(resuming(co))
}

fn check_chain(mut co: Chained) {
    let all = outermost(&mut co);
    let mut expected = [where_inside(), where_resuming(), where_outermost()].into_iter();
    let mut wanted = expected.next();
    for address in &all {
        if wanted.as_ref().is_some_and(|function| function.contains(address)) {
            wanted = expected.next();
        }
    }
    assert_eq!(wanted, None, "in {all:x?}");
}

fn main() {
    check_chain(newer::Coroutine::new(inside).unwrap());
    let shared = newer::SharedStack::new(64 * 1024).unwrap();
    check_chain(unsafe { newer::Coroutine::new_shared(&shared, inside) }.unwrap());
    let path = std::ffi::CString::new(std::env::args().nth(1).unwrap()).unwrap();
    let run: extern "C" fn() -> u32 = unsafe {
        let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL);
        assert!(!library.is_null(), "{:?}", std::ffi::CStr::from_ptr(libc::dlerror()));
        std::mem::transmute(libc::dlsym(library, c"run".as_ptr()))
    };
    // One inside the other as well: each has its own idea of who runs.
    let mut outer = newer::Coroutine::new(move |yielder: &newer::Yielder<(), u32>, ()| {
        let mut inner = older::Coroutine::new(|yielder: &older::Yielder<(), u32>, ()| {
            yielder.suspend(5);
        })
        .unwrap();
        yielder.suspend(inner.resume(()).yielded().unwrap());
        run()
    })
    .unwrap();
    assert_eq!(outer.resume(()), newer::State::Yielded(5));
    let newer::State::Returned(plugin) = outer.resume(()) else { panic!() };
    println!("{} {} {plugin}", exercise!(newer), exercise!(older));
}
"#;

const PLUGIN_LIB: &str = r#"
include!("../../exercise.rs");

#[unsafe(no_mangle)]
pub extern "C" fn run() -> u32 {
    exercise!(newer)
}
"#;

fn write(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[track_caller]
fn succeeded(output: Output) -> String {
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{errors}");
    printed
}

#[test]
fn two_versions_and_a_shared_library_live_in_one_program() {
    let native = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = native.parent().unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("linking");
    let place = |text: &str| {
        let engine = root.join("engine");
        text.replace("NATIVE", native.to_str().unwrap())
            .replace("ENGINE", engine.to_str().unwrap())
    };
    write(folder.join("Cargo.toml"), WORKSPACE);
    write(folder.join(".cargo/config.toml"), CONFIG);
    write(folder.join("exercise.rs"), EXERCISE);
    write(folder.join("host/Cargo.toml"), &place(HOST));
    write(folder.join("host/src/main.rs"), HOST_MAIN);
    write(folder.join("plugin/Cargo.toml"), &place(PLUGIN));
    write(folder.join("plugin/src/lib.rs"), PLUGIN_LIB);
    write(folder.join("costack-older/Cargo.toml"), &place(OLDER));
    copy_folder(&native.join("src"), &folder.join("costack-older/src"));
    copy_folder(&root.join("asm"), &folder.join("asm"));
    // The versions of the dependencies are those that the workspace has, and there already.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();

    let cargo = std::env::var_os("CARGO").expect("cargo runs the tests");
    let build = Command::new(cargo)
        .args(["build", "--offline", "--target", TARGET])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output();
    succeeded(build.expect("cargo starts"));
    let built = folder.join("target").join(TARGET).join("debug");
    let run = support::command(&built.join("host"))
        .arg(built.join("libplugin.so"))
        .output();
    assert_eq!(succeeded(run.expect("it starts")).trim(), "12 12 12");
}
