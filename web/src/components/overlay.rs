//! What is drawn over the panels: the arrow from a pointer to what it points at, the ribbon along
//! which a copy goes, and the lines along which a stack changes hands.

use gloo::events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{DomRect, Element};
use yew::prelude::*;

use super::task::{task_class, task_style};
use crate::model::{
    copy::{Copy, HandOver},
    text::count,
};

/// What is drawn.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Changes whenever the panels may have changed.
    pub position: u64,
    /// The copy that the last step made.
    pub copy: Option<Copy>,
    /// The change of owner that the last step made.
    pub hand_over: Option<HandOver>,
    /// Whether the copy is seen to move.
    pub moving: bool,
}

/// A line on the screen, in pixels of the window.
#[derive(Clone, PartialEq, Debug)]
struct Arrow {
    from: (f64, f64),
    to: (f64, f64),
    out: bool,
}

/// The edges of a ribbon, in pixels of the window.
#[derive(Clone, PartialEq, Debug)]
struct Ribbon {
    left: f64,
    left_edges: (f64, f64),
    right: f64,
    right_edges: (f64, f64),
}

/// The lines of a hand-over, each with the task whose colour it has.
type Hands = Vec<(&'static str, u32, Line)>;

/// Two points of the window.
type Line = ((f64, f64), (f64, f64));

/// What is drawn over the panels.
#[component]
pub fn Overlay(props: &Props) -> Html {
    let arrow = use_state(|| None::<Arrow>);
    let ribbon = use_state(|| None::<Ribbon>);
    let hands = use_state(Hands::new);
    {
        let arrow = arrow.clone();
        use_effect_with((), move |()| {
            let document = gloo::utils::document();
            let listeners = ["pointerover", "focusin", "scroll"].map(|name| {
                let arrow = arrow.clone();
                let capture = gloo::events::EventListenerOptions::run_in_capture_phase();
                EventListener::new_with_options(&document, name, capture, move |event| {
                    let element = event.target().and_then(|t| t.dyn_into::<Element>().ok());
                    let found = element.and_then(|element| arrow_from(&element));
                    if *arrow != found {
                        arrow.set(found);
                    }
                })
            });
            move || drop(listeners)
        });
    }
    {
        let (arrow, ribbon, hands) = (arrow.clone(), ribbon.clone(), hands.clone());
        let key = (props.position, props.copy.clone(), props.hand_over.clone());
        use_effect_with(key, move |(_, copy, hand_over)| {
            // The cell under the pointer may hold something else now.
            if arrow.is_some() {
                arrow.set(None);
            }
            let drawn = copy.as_ref().and_then(ribbon_of);
            if *ribbon != drawn {
                ribbon.set(drawn);
            }
            let drawn = hand_over.as_ref().map(hands_of).unwrap_or_default();
            if *hands != drawn {
                hands.set(drawn);
            }
        });
    }
    html! {
        <svg class="overlay" aria-hidden="true">
            if let (Some(ribbon), Some(copy)) = (&*ribbon, &props.copy) {
                { draw_ribbon(ribbon, copy, props) }
            }
            if props.hand_over.is_some() {
                { for hands.iter().map(|hand| draw_hand(hand, props)) }
            }
            if let Some(arrow) = &*arrow { { draw_arrow(arrow) } }
        </svg>
    }
}

fn find(selector: &str) -> Option<Element> {
    gloo::utils::document()
        .query_selector(selector)
        .ok()
        .flatten()
}

/// From where to where panels can be seen: on small screens they scroll as well, under the bar at the
/// bottom.
fn view() -> (f64, f64) {
    let place = |selector| find(selector).map(|element| element.get_bounding_client_rect());
    let top = place("main.board").map_or(0.0, |board| board.top().max(0.0));
    (top, place(".bottom").map_or(f64::MAX, |bar| bar.top()))
}

/// The part of a row that can be seen in the panel it scrolls in.
fn seen(element: &Element) -> Option<DomRect> {
    let rect = element.get_bounding_client_rect();
    let body = element.closest(".body").ok()??.get_bounding_client_rect();
    let (highest, lowest) = view();
    let top = rect.top().max(body.top()).max(highest);
    let bottom = rect.bottom().min(body.bottom()).min(lowest);
    (top < bottom).then(|| {
        let seen = DomRect::new_with_x_and_y_and_width_and_height(
            rect.left(),
            top,
            rect.width(),
            bottom - top,
        );
        seen.unwrap_or(rect)
    })
}

fn arrow_from(element: &Element) -> Option<Arrow> {
    let cell = element.closest("[data-pointer]").ok()??;
    let address = u64::from_str_radix(&cell.get_attribute("data-pointer")?, 16).ok()?;
    let row = [address, address & !7, address.wrapping_sub(8)]
        .into_iter()
        .find_map(|address| find(&format!(".stack tr[data-address='{address:x}']")))?;
    // At the top of a stack there is no row: the edge of the one below it is meant.
    let exact = row.get_attribute("data-address")? == format!("{address:x}");
    let (from, to) = (seen(&cell)?, seen(&row.query_selector(".cell").ok()??)?);
    let to_right = from.left() > to.right();
    let edge = if exact {
        to.top() + to.height() / 2.0
    } else {
        to.top()
    };
    let from_x = if to_right { from.left() } else { from.right() };
    let to_x = if to_right || from.left() == to.left() {
        to.right()
    } else {
        to.left()
    };
    Some(Arrow {
        from: (from_x, from.top() + from.height() / 2.0),
        to: (to_x, edge),
        out: cell.class_list().contains("pointer-out"),
    })
}

fn ribbon_of(copy: &Copy) -> Option<Ribbon> {
    let stack = find(&format!("[data-testid='stack-{}'] .body", copy.stack))?;
    let rows = stack.query_selector_all("tr[data-address]").ok()?;
    let mut edges: Option<(f64, f64)> = None;
    for index in 0..rows.length() {
        let Some(row) = rows
            .get(index)
            .and_then(|row| row.dyn_into::<Element>().ok())
        else {
            continue;
        };
        let address = row.get_attribute("data-address");
        let address = address.and_then(|address| u64::from_str_radix(&address, 16).ok());
        if let (true, Some(rect)) = (address.is_some_and(|a| copy.range.contains(&a)), seen(&row)) {
            let (top, bottom) = edges.unwrap_or((rect.top(), rect.bottom()));
            edges = Some((top.min(rect.top()), bottom.max(rect.bottom())));
        }
    }
    let body = stack.get_bounding_client_rect();
    let card = seen(&find(&format!("[data-testid='task-{}']", copy.name))?)?;
    let beside = card.left() >= body.right();
    beside.then_some(())?;
    Some(Ribbon {
        left: body.right() - 34.0,
        left_edges: edges?,
        right: card.left(),
        right_edges: (card.top(), card.bottom()),
    })
}

/// From the one who gives to the owner's place at the stack, and from there to the one who gets, as far
/// as their cards are beside the stack and can be seen.
fn hands_of(hand_over: &HandOver) -> Hands {
    let selector = format!("[data-testid='owner-{}']", hand_over.stack);
    let owner = find(&selector);
    let Some(owner) = owner.map(|owner| owner.get_bounding_client_rect()) else {
        return Hands::new();
    };
    let (highest, lowest) = view();
    // A card that is scrolled away in its panel is pointed at where it went.
    let place = |name: &str| {
        let chip = find(&format!("[data-testid='task-{name}'] .chip"))?;
        let (rect, body) = (
            chip.get_bounding_client_rect(),
            chip.closest(".body").ok()??.get_bounding_client_rect(),
        );
        let middle = rect.top() + rect.height() / 2.0;
        let y = middle.clamp(
            body.top() + 6.0,
            (body.bottom() - 6.0).max(body.top() + 6.0),
        );
        let is_beside = rect.left() >= owner.right() && (highest..lowest).contains(&y);
        is_beside.then(|| (rect.left() - 2.0, y))
    };
    // Both lines end behind the words about who had it before, so neither goes over them.
    let words = find(&format!(".owner:has({selector}) ~ .before"));
    let right = words.map_or(owner.right(), |words| {
        words.get_bounding_client_rect().right()
    });
    let (x, middle) = (
        right.max(owner.right()) + 3.0,
        owner.top() + owner.height() / 2.0,
    );
    let (given, got) = ((x, middle - 3.0), (x, middle + 4.0));
    let mut hands = Hands::new();
    if let Some((task, card)) = hand_over
        .from
        .as_ref()
        .and_then(|(task, name)| Some((*task, place(name)?)))
    {
        hands.push(("gives", task, (card, given)));
    }
    if let Some((task, card)) = hand_over
        .to
        .as_ref()
        .and_then(|(task, name)| Some((*task, place(name)?)))
    {
        hands.push(("gets", task, (got, card)));
    }
    hands
}

fn draw_hand((role, task, (from, to)): &(&'static str, u32, Line), props: &Props) -> Html {
    let ((x0, y0), (x1, y1)) = (from, to);
    let middle = f64::midpoint(*x0, *x1);
    let path = format!("M{x0:.1},{y0:.1}C{middle:.1},{y0:.1} {middle:.1},{y1:.1} {x1:.1},{y1:.1}");
    let tip = if x1 > x0 { -8.0 } else { 8.0 };
    let head = format!(
        "M{x1:.1},{y1:.1}L{:.1},{:.1}L{:.1},{:.1}Z",
        x1 + tip,
        y1 - 4.5,
        x1 + tip,
        y1 + 4.5
    );
    let moving = props.moving.then_some("moving");
    let class = classes!("hand", *role, moving, task_class(*task));
    html! {
        <g key={format!("{role}{}", props.position)} {class} style={task_style(*task)}>
            <path d={path} pathLength="1" /><path class="tip" d={head} />
        </g>
    }
}

fn draw_ribbon(ribbon: &Ribbon, copy: &Copy, props: &Props) -> Html {
    let Ribbon {
        left,
        left_edges: (a, b),
        right,
        right_edges: (c, d),
    } = ribbon;
    let middle = f64::midpoint(*left, *right);
    let path = format!(
        "M{left:.1},{a:.1}C{middle:.1},{a:.1} {middle:.1},{c:.1} {right:.1},{c:.1}\
         L{right:.1},{d:.1}C{middle:.1},{d:.1} {middle:.1},{b:.1} {left:.1},{b:.1}Z"
    );
    let direction = if copy.is_save { "save" } else { "restore" };
    let class = classes!(
        "ribbon",
        direction,
        props.moving.then_some("moving"),
        task_class(copy.task)
    );
    let text = format!("{} B", count(copy.bytes.into()));
    let (sign, x) = if copy.is_save {
        ("→", middle)
    } else {
        ("←", middle)
    };
    let y = (a + b + c + d) / 4.0;
    html! {
        // A new position is a new element, so its motion begins anew.
        <g key={props.position.to_string()} {class} style={task_style(copy.task)}>
            <path d={path} />
            <text x={format!("{x:.1}")} y={format!("{y:.1}")} text-anchor="middle">
                <tspan x={format!("{x:.1}")}>{ text }</tspan>
                <tspan x={format!("{x:.1}")} dy="14">{ sign }</tspan>
            </text>
        </g>
    }
}

fn draw_arrow(arrow: &Arrow) -> Html {
    let Arrow {
        from: (x0, y0),
        to: (x1, y1),
        out,
    } = arrow;
    // Between rows of one column the line swings out; across columns it goes over.
    let same_column = (x0 - x1).abs() < 60.0;
    let (c0, c1) = if same_column {
        let out = x0.max(*x1) + 46.0;
        (out, out)
    } else {
        let middle = f64::midpoint(*x0, *x1);
        (middle, middle)
    };
    let class = classes!("arrow", out.then_some("out"));
    let comes_from_right = c1 > *x1;
    let tip = if comes_from_right { 7.0 } else { -7.0 };
    let path = format!("M{x0:.1},{y0:.1}C{c0:.1},{y0:.1} {c1:.1},{y1:.1} {x1:.1},{y1:.1}");
    let head = format!(
        "M{x1:.1},{y1:.1}L{:.1},{:.1}L{:.1},{:.1}Z",
        x1 + tip,
        y1 - 4.0,
        x1 + tip,
        y1 + 4.0
    );
    html! { <g {class}><path d={path} /><path class="tip" d={head} /></g> }
}
