//! The current state as a picture that stands by itself: an SVG file for a bug report or a slide.

use std::{fmt::Write as _, rc::Rc};

use costack_sim::view::{Meaning, StackKind, TaskNumber};

use super::{
    colour::{Shade, task_colour},
    snapshot::{Snapshot, StackSnapshot, TaskSnapshot, Word},
    text::{bytes, count, meaning, short_address, status},
};

const ROW: f64 = 17.0;
const STACK_WIDTH: f64 = 400.0;
const REGISTERS_WIDTH: f64 = 300.0;
const GAP: f64 = 20.0;
const TOP: f64 = 92.0;

/// Words of one stack or image that are drawn; of more, those next to sp.
const WORDS: usize = 48;

/// What stands above the picture.
pub struct Heading<'a> {
    /// The scenario's title, ISA and stacks.
    pub title: &'a str,
    /// What the last step did.
    pub sentence: &'a str,
}

/// The state as SVG: stacks from the left, then save stacks, then registers.
pub fn picture(now: &Snapshot, heading: &Heading<'_>) -> String {
    let mut canvas = Canvas::default();
    let mut x = GAP;
    let mut bottom = TOP;
    for stack in now
        .stacks
        .iter()
        .filter(|stack| stack.view.kind != StackKind::Main)
    {
        bottom = bottom.max(canvas.stack(now, stack, x));
        x += STACK_WIDTH + GAP;
    }
    let mut y = TOP;
    for task in now.tasks.iter().skip(1) {
        y = canvas.task(now, task, x, y) + 12.0;
    }
    bottom = bottom.max(y);
    x += STACK_WIDTH + GAP;
    bottom = bottom.max(canvas.registers(now, x));
    x += REGISTERS_WIDTH + GAP;
    let height = bottom + 24.0;
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{x:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {x:.0} {height:.0}\">\n\
         <title>{0}</title>\n\
         <style>text{{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#16202e;white-space:pre}}\
         .s{{font-family:system-ui,sans-serif}}.h{{font-weight:700;font-size:14px}}.d{{fill:#57637a}}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text class=\"s h\" x=\"{GAP}\" y=\"26\">{0}</text>\n\
         <text class=\"s d\" x=\"{GAP}\" y=\"46\">step {1} · switches {2} · saves {3} · restores {4} · copied {5}</text>\n\
         <text class=\"s\" x=\"{GAP}\" y=\"66\">{6}</text>\n{7}</svg>\n",
        escaped(heading.title),
        count(now.position),
        count(now.statistics.switches),
        count(now.statistics.saves),
        count(now.statistics.restores),
        bytes(now.statistics.saved_bytes + now.statistics.restored_bytes),
        escaped(heading.sentence),
        canvas.body,
    );
    svg
}

#[derive(Default)]
struct Canvas {
    body: String,
}

impl Canvas {
    fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), fill: &str) {
        let _ = writeln!(
            self.body,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"/>"
        );
    }

    fn text(&mut self, (x, y): (f64, f64), class: &str, text: &str) {
        let text = escaped(text);
        let _ = writeln!(
            self.body,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"
        );
    }

    /// Draws words, the highest first; returns where they end.
    fn words(
        &mut self,
        words: &[Rc<Word>],
        word_bytes: u32,
        (x, mut y): (f64, f64),
        owner: Option<TaskNumber>,
        sp: Option<u64>,
    ) -> f64 {
        let live = words
            .iter()
            .take_while(|word| !matches!(word.meaning, Meaning::Dead))
            .count();
        let shown = &words[live.saturating_sub(WORDS)..live];
        if shown.len() < live {
            let text = format!("⋯ {} words above", count((live - shown.len()) as u64));
            self.text((x + 12.0, y + 12.0), "s d", &text);
            y += ROW;
        }
        for word in shown {
            let task = word.task.or(owner);
            let fill = task_colour(task.unwrap_or(0), Shade::Row);
            self.rect((x, y), (STACK_WIDTH, ROW), &fill);
            let bar = task_colour(task.unwrap_or(0), Shade::Text);
            self.rect((x, y), (4.0, ROW), &bar);
            let base = y + 12.5;
            self.text((x + 12.0, base), "d", &short_address(word.address, 6));
            let width = word_bytes as usize * 2;
            let value = match word.initialised {
                0 => "·".repeat(width),
                _ => format!("{:0width$x}", word.value),
            };
            self.text((x + 74.0, base), "", &value);
            self.text((x + 212.0, base), "s", &meaning(&word.meaning));
            if sp == Some(word.address) {
                self.text((x + STACK_WIDTH - 36.0, base), "s", "◀ sp");
                self.rect((x, y + ROW - 1.5), (STACK_WIDTH, 1.5), "#16202e");
            }
            y += ROW;
        }
        y
    }

    fn stack(&mut self, now: &Snapshot, stack: &StackSnapshot, x: f64) -> f64 {
        let view = &stack.view;
        let owner = match view.owner {
            Some(task) => now.task_name(task),
            None => "nobody".to_owned(),
        };
        let title = format!("Stack {} · owner {owner}", view.name);
        self.text((x, TOP), "s h", &title);
        let end = self.words(
            &stack.words,
            now.word_bytes,
            (x, TOP + 10.0),
            view.owner,
            view.sp,
        );
        let free = view.sp.map_or(view.top - view.base, |sp| sp - view.base);
        let text = format!("▼ grows to lower addresses · {} free", bytes(free));
        self.text((x, end + 14.0), "s d", &text);
        end + ROW
    }

    fn task(&mut self, now: &Snapshot, task: &TaskSnapshot, x: f64, y: f64) -> f64 {
        let view = &task.view;
        let used = view.save.map_or(0, |save| save.used);
        let kept = match view.save {
            Some(save) if used > 0 => format!("{used} of {} B saved", save.capacity),
            Some(_) => "nothing saved".to_owned(),
            None => "own stack".to_owned(),
        };
        let fill = task_colour(view.number, Shade::Text);
        self.rect((x, y - 10.0), (10.0, 10.0), &fill);
        let title = format!("{} · {} · {kept}", view.name, status(&view.status));
        self.text((x + 16.0, y), "s", &title);
        self.words(
            &task.image,
            now.word_bytes,
            (x, y + 8.0),
            Some(view.number),
            None,
        )
    }

    fn registers(&mut self, now: &Snapshot, x: f64) -> f64 {
        self.text((x, TOP), "s h", "Registers");
        let mut y = TOP + 24.0;
        let known = now.registers.iter().filter(|register| register.initialised);
        for register in known {
            self.text((x, y), "d", register.name);
            self.text((x + 64.0, y), "", &format!("{:#x}", register.value));
            if register.changed_from.is_some() {
                self.text((x + 230.0, y), "s", "● changed");
            }
            y += ROW;
        }
        y
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // What XML does not allow.
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use costack_sim::{gallery, program::Isa, variant::Stacks, view::Granularity};

    use super::*;
    use crate::model::{
        run::{Move, Run},
        scenario::Text,
    };

    #[test]
    fn shows_stacks_images_and_registers() {
        let scenario = &gallery::SCENARIOS[1];
        let text = Text::new(&scenario.file(), scenario.text);
        let mut run = Run::open(&text, Isa::X86_64, Stacks::AsWritten).expect("no mistakes");
        run.go(Move::Forward(Granularity::Ownership));
        run.go(Move::Forward(Granularity::Ownership));
        let heading = Heading {
            title: "two <tasks>",
            sentence: "a & b",
        };
        let svg = picture(&run.now, &heading);
        for part in [
            "two &lt;tasks&gt;",
            "a &amp; b",
            "Stack S · owner B",
            "B saved",
            "rsp",
            "pad[0]",
        ] {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
    }
}
