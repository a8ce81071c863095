//! Any calls of the simulator's module, with any texts.

use costack_sim_module::{Simulator, Status};

/// Every five bytes are a call with its number; what comes after the first zero byte at the place of
/// a call is the text that is loaded. No call panics, and one before a scenario is loaded is
/// refused.
pub fn check_bytes(bytes: &[u8]) {
    let at = bytes.iter().step_by(5).position(|call| *call == 0);
    let (calls, text) = bytes.split_at(at.map_or(bytes.len(), |at| at * 5));
    let text = text.get(1..).unwrap_or_default();
    let mut simulator = Simulator::default();
    for call in calls.chunks_exact(5) {
        let [kind, a, b, c, d] = *call else { continue };
        let number = u32::from_le_bytes([a, b, c, d]);
        let small = u64::from(number % 20_000);
        let was_loaded = simulator.session().is_some();
        let result = match kind % 8 {
            0 => simulator.load("fuzz", text, number % 4, 1 << 24),
            1 => {
                let scenarios = costack_sim::gallery::all().count();
                let nth = number as usize % scenarios;
                let scenario = costack_sim::gallery::all().nth(nth).expect("it is counted");
                simulator.load(scenario.name, scenario.text.as_bytes(), number % 3, 0)
            }
            2 => simulator.step(small as i64).map(drop),
            3 => simulator.step(-(small as i64)).map(drop),
            4 => simulator.run(small).map(drop),
            5 => simulator.state().map(drop),
            6 => simulator.trace().map(|text| {
                costack_engine::trace::read(&text).expect("its own traces can be read");
            }),
            _ => Simulator::prove(number % 4, "fuzz", text, number % 4, number % 3).map(drop),
        };
        if let Err(refusal) = result {
            assert!((refusal.status as i32) < 0, "{refusal:?}");
            if (2..7).contains(&(kind % 8)) {
                assert_eq!(refusal.status, Status::NotLoaded);
                assert!(!was_loaded);
            }
        }
    }
}
