//! The assembly: the instruction executed last, and the next one.

use std::{ops::Range, rc::Rc};

use costack_sim::view::AsmLine;
use yew::prelude::*;

use super::panel::Panel;
use crate::{
    hooks::use_keep_in_view,
    model::{
        scenario::{Block, Listing},
        text::file_name,
    },
};

/// What the panel shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// All of it.
    pub listing: Rc<Listing>,
    /// The line executed last.
    pub last: Option<usize>,
    /// The line that is next.
    pub next: Option<usize>,
    /// Addresses with a breakpoint.
    pub breakpoints: Vec<u64>,
    /// An instruction's address was clicked.
    pub on_address: Callback<u64>,
}

/// The assembly: the instruction executed last, and the next one.
#[component]
pub fn Assembly(props: &Props) -> Html {
    let body = use_node_ref();
    use_keep_in_view(&body, "[aria-current]", props.next);
    let next = props.next.and_then(|line| props.listing.lines.get(line));
    let detail = html! {
        if let Some(line) = next {
            <span class="mono" data-testid="next-place" title={line.file.clone().into_owned()}>
                { format!("{}:{}", file_name(&line.file), line.line) }
            </span>
            if line.file.starts_with("asm/") {
                <span class="badge" title="This very text is assembled into the native library.">
                    { "also native" }
                </span>
            }
        }
    };
    let blocks = props.listing.blocks.iter().enumerate().map(|(index, block)| {
        let within = |line: Option<usize>| line.filter(|line| block.lines.contains(line));
        let addresses = |address: &u64| block.addresses.contains(address);
        html! {
            <BlockView key={index} listing={&props.listing} block={block.clone()}
                last={within(props.last)} next={within(props.next)}
                breakpoints={props.breakpoints.iter().copied().filter(addresses).collect::<Vec<_>>()}
                on_address={&props.on_address} />
        }
    });
    html! {
        <Panel title="Assembly" class="fill assembly" {detail} {body}>
            { for blocks }
        </Panel>
    }
}

#[derive(Properties, PartialEq)]
struct BlockProps {
    listing: Rc<Listing>,
    block: Block,
    last: Option<usize>,
    next: Option<usize>,
    breakpoints: Vec<u64>,
    on_address: Callback<u64>,
}

/// One file's or function's lines; drawn again only when one of them is concerned.
#[component]
fn BlockView(props: &BlockProps) -> Html {
    let said = |lines: Range<usize>| lines.filter(|index| !is_blank(&props.listing.lines[*index]));
    let sections = sections(props);
    // How high it will be, before it is drawn: a folded comment is one row.
    let rows: usize = sections
        .iter()
        .map(|section| match section {
            Section::Code(lines) => said(lines.clone()).count(),
            Section::Comment(_) => 1,
        })
        .sum();
    let lines = sections.into_iter().map(|section| match section {
        Section::Code(lines) => html! {
            <ol class="code">{ for said(lines).map(|index| line(props, index)) }</ol>
        },
        Section::Comment(lines) => comment(&props.listing, lines),
    });
    html! {
        <div class={classes!("block", props.next.map(|_| "here"))} role="group" aria-label={props.block.title.clone()} style={format!("--rows:{rows}")}>
            <p class="title"><b>{ &props.block.title }</b><span>{ &props.block.file }</span></p>
            { for lines }
        </div>
    }
}

/// Lines of a block that are shown alike.
enum Section {
    /// Instructions and labels, with single comments between them.
    Code(Range<usize>),
    /// Many lines of comment: they can be unfolded.
    Comment(Range<usize>),
}

/// From so many lines on, a comment is folded.
const LONG_COMMENT: usize = 5;

/// Whether a line says nothing: those of a template that a program does without are such.
fn is_blank(line: &AsmLine) -> bool {
    line.text.trim().is_empty() && line.comment.is_empty()
}

fn sections(props: &BlockProps) -> Vec<Section> {
    let lines = &props.listing.lines[props.block.lines.clone()];
    let mut sections = Vec::new();
    let mut start = props.block.lines.start;
    for group in lines.chunk_by(|a, b| a.text.trim().is_empty() == b.text.trim().is_empty()) {
        let range = start..start + group.len();
        start = range.end;
        let comments = group.iter().filter(|line| !is_blank(line));
        let is_long = group[0].text.trim().is_empty() && comments.count() >= LONG_COMMENT;
        match sections.last_mut() {
            _ if is_long => sections.push(Section::Comment(range)),
            Some(Section::Code(last)) => last.end = range.end,
            _ => sections.push(Section::Code(range)),
        }
    }
    sections
}

fn comment(listing: &Listing, lines: Range<usize>) -> Html {
    let said = listing.lines[lines].iter().filter(|line| !is_blank(line));
    let text: Vec<&str> = said.map(|line| &*line.comment).collect();
    html! {
        <details class="about">
            <summary>{ format!("{} lines about it", text.len()) }</summary>
            <pre>{ text.join("\n") }</pre>
        </details>
    }
}

fn line(props: &BlockProps, index: usize) -> Html {
    let line = &props.listing.lines[index];
    let is_next = props.next == Some(index);
    let is_last = props.last == Some(index);
    let class = classes!(
        "line",
        is_next.then_some("next"),
        is_last.then_some("last"),
        line.address.is_none().then_some("label"),
    );
    let number = match line.address {
        Some(address) => {
            let set = props.breakpoints.contains(&address);
            let onclick = props.on_address.reform(move |_: MouseEvent| address);
            let verb = if set {
                "Remove breakpoint from"
            } else {
                "Stop at"
            };
            html! {
                <button type="button" class="number" {onclick} aria-pressed={set.to_string()} tabindex="-1"
                    aria-label={format!("{verb} {} line {}, address {address:#x}", line.file, line.line)}>
                    { line.line }
                </button>
            }
        }
        None => html! { <span class="number">{ line.line }</span> },
    };
    html! {
        <li key={index} {class} aria-current={is_next.then_some("step")}
            title={line.address.map(|address| format!("{address:#x}"))}>
            { number }
            if is_next { <span class="visually-hidden">{ "next: " }</span> }
            if is_last { <span class="visually-hidden">{ "executed last: " }</span> }
            if !line.text.trim().is_empty() {
                <span class="text">{ line.text.trim_end().to_owned() }</span>
            }
            if !line.comment.is_empty() { <span class="comment">{ line.comment.clone() }</span> }
        </li>
    }
}
