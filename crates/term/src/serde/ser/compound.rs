//! Lists, tuples, maps and structs as they are written. Counts that the value did not know, or got wrong, are set right at
//! the end.

use serde::ser::{self, Serialize};

use super::{Form, Serializer, Text, atom, check_size};
use crate::codec::{Decoder, encode};
use crate::serde::error::{Error, Segment};
use crate::serde::module::{EXCEPTION, Module, STRUCT};
use crate::serde::special::REST;
use crate::{Term, serde::ser::rest::Inline};

/// A collection whose head has been written.
pub(in crate::serde) struct Compound<'a> {
    out: &'a mut Vec<u8>,
    form: Form,
    kind: Kind,
    /// Where the head stands.
    start: usize,
    /// How many elements or pairs the head promises.
    promised: usize,
    written: usize,
    /// Where the key of the value that comes next stands.
    key: usize,
    variant: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Tuple,
    Map,
    /// Pairs that belong to a map whose head another has written.
    Inline,
}

impl<'a> Compound<'a> {
    fn new(out: &'a mut Vec<u8>, form: Form, kind: Kind, start: usize, promised: usize) -> Compound<'a> {
        Compound { out, form, kind, start, promised, written: 0, key: 0, variant: None }
    }

    #[inline]
    pub(super) fn list(out: &'a mut Vec<u8>, form: Form, length: usize) -> Compound<'a> {
        let start = out.len();
        encode::list_header(out, length);
        Compound::new(out, form, Kind::List, start, length)
    }

    /// A tuple whose head, and the name of the variant, stand already.
    #[inline]
    pub(super) fn tuple(
        out: &'a mut Vec<u8>,
        form: Form,
        length: usize,
        variant: Option<&'static str>,
    ) -> Compound<'a> {
        Compound { variant, ..Compound::new(out, form, Kind::Tuple, 0, length) }
    }

    #[inline]
    pub(super) fn map(out: &'a mut Vec<u8>, form: Form, length: usize) -> Compound<'a> {
        let start = out.len();
        encode::map_header(out, length);
        Compound::new(out, form.of_text(Text::Binary), Kind::Map, start, length)
    }

    pub(super) fn inline(out: &'a mut Vec<u8>, form: Form) -> Compound<'a> {
        Compound::new(out, form.of_text(Text::Binary), Kind::Inline, 0, 0)
    }

    pub(super) fn in_variant(self, variant: &'static str) -> Compound<'a> {
        Compound { variant: Some(variant), ..self }
    }

    /// What makes a map an Elixir struct.
    pub(super) fn module(&mut self, module: Module) -> Result<(), Error> {
        encode::atom_str(self.out, STRUCT);
        atom(self.out, &module.parts().concat())?;
        self.written += 1;
        if module.exception {
            encode::atom_str(self.out, EXCEPTION);
            encode::atom_str(self.out, "true");
            self.written += 1;
        }
        Ok(())
    }

    /// Where to write what belongs to the next element.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// How many elements have been written.
    pub(super) fn count(&self) -> usize {
        self.written
    }

    #[inline]
    pub(super) fn put<T: Serialize + ?Sized>(&mut self, value: &T, form: Form) -> Result<(), Error> {
        self.put_with(|out| value.serialize(Serializer::new(out, form)))
    }

    #[inline]
    pub(super) fn put_with(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>) -> Result<(), Error> {
        write(self.out).map_err(|error| self.placed(error))?;
        self.written += 1;
        Ok(())
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        if key == REST {
            self.written += value.serialize(Inline::new(self.out, self.form))?;
            return Ok(());
        }
        self.key = self.out.len();
        atom(self.out, key)?;
        let text = if key == STRUCT { Text::Atom } else { Text::Binary };
        self.put(value, self.form.of_text(text))
    }

    #[cold]
    fn placed(&self, error: Error) -> Error {
        let error = error.within(match self.kind {
            Kind::List => Segment::Index(self.written),
            Kind::Tuple => Segment::Element(self.written),
            Kind::Map | Kind::Inline => Segment::Key(self.read_key()),
        });
        match self.variant {
            Some(variant) => error.within(Segment::Variant(variant.to_owned())),
            None => error,
        }
    }

    fn read_key(&self) -> Term {
        let written = bytes::Bytes::copy_from_slice(self.out.get(self.key..).unwrap_or_default());
        Decoder::new(&written).term().unwrap_or_else(|_| Term::atom("?"))
    }

    pub(super) fn finish(self) -> Result<(), Error> {
        self.finish_counted().map(drop)
    }

    /// As `finish`; gives how many have been written.
    pub(super) fn finish_counted(self) -> Result<usize, Error> {
        if self.written != self.promised && self.kind != Kind::Inline {
            if self.kind == Kind::Tuple {
                let (promised, written) = (self.promised, self.written);
                return Err(ser::Error::custom(format_args!("a tuple of {promised} got {written} elements")));
            }
            check_size(self.written)?;
            if let Some(count) = self.out.get_mut(self.start + 1..self.start + 5) {
                count.copy_from_slice(&(self.written as u32).to_be_bytes());
            }
        }
        if self.kind == Kind::List {
            if self.written == 0 {
                self.out.truncate(self.start);
            }
            encode::nil(self.out);
        }
        Ok(self.written)
    }
}

macro_rules! sequences {
    ($($trait:ident: $method:ident;)*) => {
        $(impl ser::$trait for Compound<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.put(value, self.form)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        })*
    };
}

sequences! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
}

macro_rules! structs {
    ($($trait:ident;)*) => {
        $(impl ser::$trait for Compound<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
                self.field(key, value)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        })*
    };
}

structs! {
    SerializeStruct;
    SerializeStructVariant;
}

impl ser::SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = self.out.len();
        key.serialize(Serializer::new(self.out, self.form))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.put(value, self.form)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}
