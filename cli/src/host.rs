//! The simulator's wasm module in wasmtime.
//!
//! Nothing that the module does is trusted: it has no imports, so it reaches nothing; it runs on
//! fuel, so it ends; its memory is bounded; and every pointer, length and text that it gives is
//! checked. So a hostile module costs at most what [`Limits`] says, and so does a hostile scenario
//! in ours.

mod error;
mod find;

use std::path::Path;

use costack_sim_module::{SOURCES, State, Status, VERSION};
use wasmtime::{
    Cache, CacheConfig, Config, Engine, Instance, Memory, Module, Store, StoreLimits,
    StoreLimitsBuilder, Trap, TypedFunc, WasmParams, WasmResults,
};

pub use error::HostError;
pub use find::{FILE_NAME, VARIABLE, find};

/// What a module may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Its memory, in bytes.
    pub memory_bytes: usize,
    /// Fuel for a call, about one for each wasm instruction.
    pub fuel_per_call: u64,
    /// Fuel for each step that a call is to make, on top.
    pub fuel_per_step: u64,
    /// The longest answer, in bytes.
    pub answer_bytes: usize,
}

impl Default for Limits {
    /// Twice the memory that our own module needs for a session, and far more fuel than it takes.
    fn default() -> Self {
        Limits {
            memory_bytes: 1 << 30,
            fuel_per_call: 20_000_000_000,
            fuel_per_step: 2_000,
            answer_bytes: 512 << 20,
        }
    }
}

/// A compiled module, ready to be instantiated any number of times, also from several threads.
pub struct Host {
    engine: Engine,
    module: Module,
    limits: Limits,
}

/// The usual place for what wasmtime has compiled: a second start takes it from there.
fn cache() -> Option<Cache> {
    let folder = match std::env::var_os("COSTACK_CACHE") {
        Some(folder) => folder.into(),
        None => match std::env::var_os("XDG_CACHE_HOME") {
            Some(folder) => Path::new(&folder).join("costack"),
            None => std::env::home_dir()?.join(".cache/costack"),
        },
    };
    let mut config = CacheConfig::new();
    config.with_directory(std::path::absolute(folder.join("modules")).ok()?);
    // Without a cache everything works, and starts later.
    Cache::new(config).ok()
}

impl Host {
    /// Compiles the module in a file, or takes what was compiled before.
    ///
    /// # Errors
    /// When the file cannot be read or is no module.
    pub fn open(file: &Path, limits: Limits) -> Result<Self, HostError> {
        let bytes = std::fs::read(file).map_err(|error| HostError::Unreadable {
            file: file.to_owned(),
            error,
        })?;
        Self::new(&bytes, limits)
    }

    /// Compiles a module.
    ///
    /// # Errors
    /// When the bytes are no module, or one that wants imports.
    pub fn new(bytes: &[u8], limits: Limits) -> Result<Self, HostError> {
        let mut config = Config::new();
        config.consume_fuel(true);
        config.max_wasm_stack(MAX_WASM_STACK_BYTES);
        config.cache(cache());
        let invalid = |error: wasmtime::Error| HostError::Invalid(format!("{error:#}"));
        let engine = Engine::new(&config).map_err(invalid)?;
        let module = Module::from_binary(&engine, bytes).map_err(invalid)?;
        if let Some(import) = module.imports().next() {
            let name = format!("{}.{}", import.module(), import.name());
            return Err(HostError::Import(name));
        }
        Ok(Host {
            engine,
            module,
            limits,
        })
    }

    /// A fresh instance. It must be of the interface's version and built from the sources that this
    /// program was built from.
    ///
    /// # Errors
    /// What the module lacks, or does on its way up.
    pub fn instance(&self) -> Result<Hosted, HostError> {
        let hosted = self.foreign_instance()?;
        match hosted.sources {
            SOURCES => Ok(hosted),
            _ => Err(HostError::OtherSources),
        }
    }

    /// As [`instance`](Self::instance), of a module that may have been built from other sources.
    ///
    /// # Errors
    /// What the module lacks, or does on its way up.
    pub fn foreign_instance(&self) -> Result<Hosted, HostError> {
        let limits = StoreLimitsBuilder::new()
            .memory_size(self.limits.memory_bytes)
            .memories(1)
            .tables(4)
            .table_elements(100_000)
            .instances(1)
            .trap_on_grow_failure(true)
            .build();
        let mut store = Store::new(&self.engine, limits);
        store.limiter(|limits| limits);
        refuel(&mut store, self.limits.fuel_per_call)?;
        let started = Instance::new(&mut store, &self.module, &[]);
        let instance = started.map_err(|error| stopped("instantiation", &error))?;
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or_else(|| HostError::NoExport("memory".to_owned()))?;
        let mut exports = Exports {
            instance: &instance,
            store: &mut store,
        };
        let version: TypedFunc<(), u32> = exports.get("version")?;
        let sources: TypedFunc<(), u64> = exports.get("sources")?;
        let calls = Calls {
            input: exports.get("input")?,
            load: exports.get("load")?,
            step: exports.get("step")?,
            run: exports.get("run")?,
            state: exports.get("state")?,
            trace: exports.get("trace")?,
            prove: exports.get("prove")?,
            answer: exports.get("answer")?,
            answer_len: exports.get("answer_len")?,
        };
        let mut hosted = Hosted {
            store,
            memory,
            calls,
            limits: self.limits,
            sources: 0,
        };
        let found = hosted.call("version", &version, (), 0)?;
        if found != VERSION {
            return Err(HostError::Version { found });
        }
        hosted.sources = hosted.call("sources", &sources, (), 0)?;
        Ok(hosted)
    }
}

/// The parser of scenarios is promised to do with half of this, and a thread of two MiB, as Rust makes
/// them, has room for it: a module that recurses without end is stopped before the thread overflows.
const MAX_WASM_STACK_BYTES: usize = 1 << 20;

struct Exports<'a> {
    instance: &'a Instance,
    store: &'a mut Store<StoreLimits>,
}

impl Exports<'_> {
    fn get<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &str,
    ) -> Result<TypedFunc<P, R>, HostError> {
        let found = self.instance.get_typed_func(&mut *self.store, name);
        found.map_err(|_| HostError::NoExport(name.to_owned()))
    }
}

struct Calls {
    input: TypedFunc<u32, u32>,
    load: TypedFunc<(u32, u32, u64), i32>,
    step: TypedFunc<i64, i32>,
    run: TypedFunc<u64, i32>,
    state: TypedFunc<(), i32>,
    trace: TypedFunc<(), i32>,
    prove: TypedFunc<(u32, u32, u32, u32), i32>,
    answer: TypedFunc<(), u32>,
    answer_len: TypedFunc<(), u32>,
}

/// An instance of the module.
pub struct Hosted {
    store: Store<StoreLimits>,
    memory: Memory,
    calls: Calls,
    limits: Limits,
    sources: u64,
}

fn refuel(store: &mut Store<StoreLimits>, fuel: u64) -> Result<(), HostError> {
    let refuelled = store.set_fuel(fuel);
    refuelled.map_err(|error| HostError::Invalid(format!("{error:#}")))
}

/// Why a call came to no end of its own.
fn stopped(call: &'static str, error: &wasmtime::Error) -> HostError {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => HostError::OutOfFuel { call },
        Some(trap) => HostError::Trap {
            call,
            reason: trap.to_string(),
        },
        // The limiter says what could not grow.
        None => HostError::Trap {
            call,
            reason: error.root_cause().to_string(),
        },
    }
}

impl Hosted {
    /// Reads a scenario. `isa` is a place in [`costack_sim_module::ISAS`].
    ///
    /// # Errors
    /// What the module refuses, or does wrong.
    pub fn load(&mut self, name: &str, text: &[u8], isa: u32) -> Result<(), HostError> {
        let name_len = self.give(name, text)?;
        let load = self.calls.load.clone();
        let status = self.call("load", &load, (name_len, isa, 0), text.len() as u64)?;
        self.check("load", status).map(drop)
    }

    /// Makes steps, back if the count is negative.
    ///
    /// # Errors
    /// What the module refuses, or does wrong.
    pub fn step(&mut self, count: i64) -> Result<Status, HostError> {
        let step = self.calls.step.clone();
        let status = self.call("step", &step, count, count.unsigned_abs())?;
        self.check("step", status)
    }

    /// Makes at most so many steps.
    ///
    /// # Errors
    /// What the module refuses, or does wrong.
    pub fn run(&mut self, limit: u64) -> Result<Status, HostError> {
        let run = self.calls.run.clone();
        let status = self.call("run", &run, limit, limit)?;
        self.check("run", status)
    }

    /// The state at the current position.
    ///
    /// # Errors
    /// What the module refuses, or does wrong.
    pub fn state(&mut self) -> Result<State, HostError> {
        let state = self.calls.state.clone();
        let text = self.ask("state", &state, ())?;
        serde_json::from_str(&text).map_err(|error| HostError::Answer {
            call: "state",
            reason: error.to_string(),
        })
    }

    /// What has happened, as the text of a trace.
    ///
    /// # Errors
    /// What the module refuses, or does wrong.
    pub fn trace(&mut self) -> Result<String, HostError> {
        let trace = self.calls.trace.clone();
        self.ask("trace", &trace, ())
    }

    /// Proves a switch text; the numbers are those of the module's interface.
    ///
    /// # Errors
    /// What the module refuses, or does wrong.
    pub fn prove(
        &mut self,
        what: u32,
        name: &str,
        text: &[u8],
        isa: u32,
        flavour: u32,
    ) -> Result<String, HostError> {
        let name_len = self.give(name, text)?;
        let prove = self.calls.prove.clone();
        self.ask("prove", &prove, (name_len, what, isa, flavour))
    }

    /// Calls an export on fuel for so many steps.
    fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &'static str,
        function: &TypedFunc<P, R>,
        arguments: P,
        steps: u64,
    ) -> Result<R, HostError> {
        let for_steps = steps.saturating_mul(self.limits.fuel_per_step);
        let fuel = self.limits.fuel_per_call.saturating_add(for_steps);
        refuel(&mut self.store, fuel)?;
        let result = function.call(&mut self.store, arguments);
        result.map_err(|error| stopped(name, &error))
    }

    /// Puts a name and a text into the module's input; returns the length of the name.
    fn give(&mut self, name: &str, text: &[u8]) -> Result<u32, HostError> {
        let bytes = name.len() + text.len();
        let len = u32::try_from(bytes).map_err(|_| HostError::InputTooLong { bytes })?;
        let input = self.calls.input.clone();
        let at = self.call("input", &input, len, 0)?;
        if at == 0 {
            return Err(HostError::InputTooLong { bytes });
        }
        let range = self.range("input", at, len)?;
        let (head, tail) = self.memory.data_mut(&mut self.store)[range].split_at_mut(name.len());
        head.copy_from_slice(name.as_bytes());
        tail.copy_from_slice(text);
        Ok(name.len() as u32)
    }

    /// Calls an export that answers with text.
    fn ask<P: WasmParams>(
        &mut self,
        name: &'static str,
        function: &TypedFunc<P, i32>,
        arguments: P,
    ) -> Result<String, HostError> {
        let status = self.call(name, function, arguments, 0)?;
        self.check(name, status)?;
        self.answer(name)
    }

    /// The text of the last answer.
    fn answer(&mut self, name: &'static str) -> Result<String, HostError> {
        let (answer, answer_len) = (self.calls.answer.clone(), self.calls.answer_len.clone());
        let at = self.call("answer", &answer, (), 0)?;
        let len = self.call("answer_len", &answer_len, (), 0)?;
        if len as usize > self.limits.answer_bytes {
            return Err(HostError::AnswerTooLong { call: name, len });
        }
        let range = self.range(name, at, len)?;
        let bytes = &self.memory.data(&self.store)[range];
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(HostError::Answer {
                call: name,
                reason: error.to_string(),
            }),
        }
    }

    /// A range that the module names, if it lies in the module's memory.
    fn range(
        &self,
        call: &'static str,
        at: u32,
        len: u32,
    ) -> Result<std::ops::Range<usize>, HostError> {
        let memory_bytes = self.memory.data_size(&self.store);
        let range = at as usize..at as usize + len as usize;
        match range.end <= memory_bytes {
            true => Ok(range),
            false => Err(HostError::Pointer { call, at, len }),
        }
    }

    /// The status that a number stands for; a refusal with its reason.
    fn check(&mut self, call: &'static str, number: i32) -> Result<Status, HostError> {
        let Some(status) = Status::of(number) else {
            return Err(HostError::Status { call, number });
        };
        match status {
            Status::Done | Status::Ended | Status::Faulted => Ok(status),
            refused => {
                let message = self.answer(call)?;
                Err(HostError::Refused {
                    status: refused,
                    message,
                })
            }
        }
    }
}
