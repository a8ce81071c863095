//! Expressions and places in the bodies of functions.

use super::Body;
use crate::diagnostic::{Diagnostic, Kind, Sort};
use crate::names;
use crate::raw::{self, Ident};
use crate::request::{Param, Request, Service, Subject};
use crate::resolve::Meaning;
use crate::source::Span;
use crate::syntax::{Call, Expr, ExprKind, LocalId, LocalKind, MAIN, Place, UnaryOp};

impl<'a> Body<'_, '_, 'a> {
    /// A whole expression, not a part of one.
    pub(super) fn expr(&mut self, raw: &raw::Expr<'a>) -> Expr {
        self.expr_depth = self.expr_depth.max(raw.depth);
        self.part(raw)
    }

    pub(super) fn args(&mut self, raw: &[raw::Node<'a>]) -> Vec<Expr> {
        // An iterator's adapters would each take a frame for every level of nesting.
        let mut args = Vec::with_capacity(raw.len());
        for arg in raw {
            args.push(self.expr(arg));
        }
        args
    }

    fn boxed(&mut self, raw: &raw::Expr<'a>) -> Box<Expr> {
        Box::new(self.part(raw))
    }

    fn part(&mut self, raw: &raw::Expr<'a>) -> Expr {
        let kind = match &raw.kind {
            raw::ExprKind::Unary(UnaryOp::Neg, operand) => self.negated(operand),
            raw::ExprKind::Unary(op, operand) => ExprKind::Unary(*op, self.boxed(operand)),
            raw::ExprKind::Binary(op, left, right) => {
                let left = self.boxed(left);
                ExprKind::Binary(*op, left, self.boxed(right))
            }
            raw::ExprKind::Logical(op, left, right) => {
                let left = self.boxed(left);
                ExprKind::Logical(*op, left, self.boxed(right))
            }
            raw::ExprKind::AddressOf(operand) => self.address(operand),
            raw::ExprKind::Call(call) => self.call(call),
            raw::ExprKind::Index(..) | raw::ExprKind::Deref(_) | raw::ExprKind::Name(_) => {
                self.load(raw)
            }
            leaf => self.leaf(leaf, raw.span),
        };
        Expr {
            span: raw.span,
            kind,
        }
    }

    fn negated(&mut self, operand: &raw::Expr<'a>) -> ExprKind {
        let operand = match operand.kind {
            raw::ExprKind::Int(int) => Box::new(Expr {
                span: operand.span,
                kind: self.resolver.int(int, operand.span, true),
            }),
            _ => self.boxed(operand),
        };
        ExprKind::Unary(UnaryOp::Neg, operand)
    }

    fn call(&mut self, call: &raw::Call<'a>) -> ExprKind {
        if let Some(service) = self.service(call.function) {
            return self.request(service, call);
        }
        self.calls = true;
        let function = match self.local(call.function.text) {
            None => self.resolver.called(call),
            Some(_) => {
                self.meaning(call.function, Sort::Function);
                None
            }
        };
        let args = self.args(&call.args);
        ExprKind::Call(Call {
            // After a mistake no one sees the program.
            function: function.unwrap_or(MAIN),
            args,
            span: call.span,
        })
    }

    /// What the runtime is asked for by a call of this name, which no function of the program has.
    fn service(&self, name: Ident<'a>) -> Option<Service> {
        let service = Service::named(name.text)?;
        let declared = self.resolver.names.get(name.text);
        let is_function = matches!(declared, Some((Meaning::Function(_), _)));
        (!is_function && self.local(name.text).is_none()).then_some(service)
    }

    #[inline(never)]
    fn request(&mut self, service: Service, call: &raw::Call<'a>) -> ExprKind {
        self.uses_runtime = true;
        let params = service.params();
        let (wanted, given) = (params.len(), call.args.len());
        let is_open = matches!(params.last(), Some(Param::Things(_)));
        if given != wanted && !(is_open && given > wanted) {
            let kind = Kind::WrongArgumentCount {
                function: service.name().to_owned(),
                wanted,
                given,
            };
            self.mistake(kind, call.span);
        }
        let mut request = Request {
            service,
            subjects: Vec::new(),
            args: Vec::new(),
            span: call.span,
        };
        for (index, arg) in call.args.iter().enumerate() {
            match params.get(index).or(params.last()) {
                None | Some(Param::Word) => request.args.push(self.expr(arg)),
                Some(Param::Thing(sorts) | Param::Things(sorts)) => {
                    request.subjects.extend(self.subject(service, arg, sorts));
                }
            }
        }
        ExprKind::Request(request)
    }

    /// A thing that a request is about; `None` after a mistake.
    fn subject(
        &mut self,
        service: Service,
        raw: &raw::Expr<'a>,
        wanted: &'static [Sort],
    ) -> Option<Subject> {
        let mut actual = None;
        if let raw::ExprKind::Name(text) = raw.kind {
            let span = raw.span;
            let name = Ident { text, span };
            let local = self
                .local(text)
                .map(|id| super::sort_of(&self.locals[id.index()]));
            let declared = self.resolver.names.get(text).map(|(meaning, _)| *meaning);
            let Some(sort) = local.or(declared.map(Meaning::sort)) else {
                self.unknown(name, wanted.first().copied());
                return None;
            };
            if wanted.contains(&sort) {
                return declared.and_then(Meaning::subject);
            }
            actual = Some((names::shown(text), sort));
        }
        let kind = Kind::WrongThing {
            service: service.name(),
            actual,
            wanted,
        };
        self.mistake(kind, raw.span);
        None
    }

    fn load(&mut self, raw: &raw::Expr<'a>) -> ExprKind {
        match self.place(raw) {
            Some(place) => ExprKind::Load(place),
            None => ExprKind::Int(0),
        }
    }

    fn address(&mut self, operand: &raw::Expr<'a>) -> ExprKind {
        if !is_place(operand) {
            self.mistake(Kind::NotAddressable, operand.span);
            return ExprKind::Int(0);
        }
        let Some(place) = self.place(operand) else {
            return ExprKind::Int(0);
        };
        if let Place::Local(local) | Place::Element { array: local, .. } = place {
            self.locals[local.index()].address_taken = true;
        }
        ExprKind::Address(place)
    }

    pub(super) fn target(&mut self, raw: &raw::Expr<'a>) -> Option<Place> {
        self.expr_depth = self.expr_depth.max(raw.depth);
        if !is_place(raw) {
            self.mistake(Kind::NotAPlace, raw.span);
            return None;
        }
        self.place(raw)
    }

    /// A name, an element or a dereference; `None` after a mistake.
    fn place(&mut self, raw: &raw::Expr<'a>) -> Option<Place> {
        match &raw.kind {
            raw::ExprKind::Name(name) => self.word(Ident {
                text: name,
                span: raw.span,
            }),
            raw::ExprKind::Index(array, index) => {
                let index = self.boxed(index);
                let array = self.array(*array)?;
                Some(Place::Element { array, index })
            }
            raw::ExprKind::Deref(pointer) => Some(Place::Deref(self.boxed(pointer))),
            _ => None,
        }
    }

    /// A local or global word.
    fn word(&mut self, name: Ident<'a>) -> Option<Place> {
        if let Some(id) = self.local(name.text) {
            let local = &self.locals[id.index()];
            if local.kind == LocalKind::Word {
                return Some(Place::Local(id));
            }
            let declared = local.name.span;
            let kind = Kind::ArrayWithoutIndex {
                name: names::shown(name.text),
            };
            let mistake = Diagnostic::new(kind, name.span);
            self.resolver
                .mistakes
                .push(mistake.note(declared, "declared here"));
            return None;
        }
        match self.resolver.names.get(name.text) {
            Some(&(Meaning::Global(id), _)) => Some(Place::Global(id)),
            Some(&(meaning, declared)) => {
                let sort = meaning.sort();
                self.resolver.wrong_sort(name, sort, None, declared);
                None
            }
            None => {
                self.unknown(name, None);
                None
            }
        }
    }

    fn array(&mut self, name: Ident<'a>) -> Option<LocalId> {
        let wanted = Some(Sort::Array);
        let Some(id) = self.local(name.text) else {
            match self.resolver.names.get(name.text) {
                Some(&(meaning, declared)) => {
                    let sort = meaning.sort();
                    self.resolver.wrong_sort(name, sort, wanted, declared);
                }
                None => self.unknown(name, wanted),
            }
            return None;
        };
        let local = &self.locals[id.index()];
        if local.kind == LocalKind::Word {
            let declared = local.name.span;
            self.resolver.wrong_sort(name, Sort::Word, wanted, declared);
            return None;
        }
        Some(id)
    }

    fn unknown(&mut self, name: Ident<'a>, wanted: Option<Sort>) {
        let in_scope = self.scope.iter().filter(|(_, ids)| !ids.is_empty());
        let fitting = in_scope.filter(|(_, ids)| {
            let array = ids
                .last()
                .is_some_and(|id| self.locals[id.index()].kind != LocalKind::Word);
            array == (wanted == Some(Sort::Array))
        });
        let candidates = fitting.map(|(name, _)| *name);
        self.resolver.unknown(name, wanted, candidates);
    }

    /// An expression without parts.
    fn leaf(&mut self, raw: &raw::ExprKind<'a>, span: Span) -> ExprKind {
        if let raw::ExprKind::Int(int) = raw {
            return self.resolver.int(*int, span, false);
        }
        self.uses_runtime = true;
        match raw {
            raw::ExprKind::Recv(name) => match self.meaning(*name, Sort::Channel) {
                Some(Meaning::Channel(id)) => ExprKind::Recv(id),
                _ => ExprKind::Int(0),
            },
            raw::ExprKind::Alive(name) => match self.meaning(*name, Sort::Task) {
                Some(Meaning::Task(id)) => ExprKind::Alive(id),
                _ => ExprKind::Int(0),
            },
            raw::ExprKind::SelfTask => ExprKind::SelfTask,
            raw::ExprKind::FpMode => ExprKind::FpMode,
            _ => ExprKind::Now,
        }
    }
}

fn is_place(raw: &raw::Expr<'_>) -> bool {
    matches!(
        raw.kind,
        raw::ExprKind::Name(_) | raw::ExprKind::Index(..) | raw::ExprKind::Deref(_)
    )
}
