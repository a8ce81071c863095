//! Names in messages: cut to a length that can be read, and compared with what was meant.

/// Longer names are neither shown in full nor compared.
const LONGEST: usize = 40;
/// More candidates are not compared, so that many mistakes among many names take no long time.
const MOST: usize = 5_000;

/// A name short enough for a message.
pub(crate) fn shown(name: &str) -> String {
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.into(),
    }
}

/// The candidate most like `name`, if one is like it: a slip of the hand or two away, or equal
/// but for case.
///
/// ```
/// let names = ["two_tasks_own", "deep_and_shallow"];
/// assert_eq!(costack_lang::closest("two_task_own", names).as_deref(), Some("two_tasks_own"));
/// assert_eq!(costack_lang::closest("shallow", names), None);
/// ```
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if name.len() > LONGEST {
        return None;
    }
    let slips = match name.len() {
        0..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .take(MOST)
        .filter(|candidate| candidate.len() <= LONGEST && *candidate != name)
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= slips)
        .map(|candidate| {
            let distance = if candidate.eq_ignore_ascii_case(name) {
                0
            } else {
                strsim::damerau_levenshtein(name, candidate)
            };
            (distance, candidate)
        })
        // More slips than letters that agree is no likeness.
        .filter(|&(distance, candidate)| {
            distance <= slips && distance < candidate.len().min(name.len()).max(1)
        })
        .min()
        .map(|(_, candidate)| candidate.into())
}
