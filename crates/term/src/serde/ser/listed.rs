//! Structs, maps and lists of pairs as keyword lists.

use serde::ser::{self, Impossible, Serialize};

use super::compound::Compound;
use super::refuse::refuse;
use super::{Form, Serializer, Text};
use crate::codec::{encode, tag};
use crate::serde::error::{Error, Segment};
use crate::serde::special;

/// Writes `[key: value]`.
pub(super) struct ListedSerializer<'a> {
    out: &'a mut Vec<u8>,
    form: Form,
}

impl<'a> ListedSerializer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, form: Form) -> ListedSerializer<'a> {
        ListedSerializer { out, form: form.of_text(Text::Binary) }
    }

    fn pairs(self, length: Option<usize>) -> Result<Listed<'a>, Error> {
        Ok(Listed { form: self.form, list: Compound::list(self.out, self.form, length.unwrap_or(0)) })
    }
}

/// A keyword list that has been opened.
pub(super) struct Listed<'a> {
    form: Form,
    list: Compound<'a>,
}

impl Listed<'_> {
    fn open(&mut self) {
        encode::tuple_header(self.list.out(), 2);
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.open();
        let form = self.form.of_text(Text::Atom);
        write_key(key, self.list.out(), form).map_err(|error| error.within(Segment::Index(self.list.count())))
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let form = self.form;
        self.list.put(value, form)
    }
}

fn write_key<T: Serialize + ?Sized>(key: &T, out: &mut Vec<u8>, form: Form) -> Result<(), Error> {
    let start = out.len();
    key.serialize(Serializer::new(out, form))?;
    match out.get(start) {
        Some(&(tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8)) => Ok(()),
        _ => Err(ser::Error::custom("the keys of a keyword list are atoms")),
    }
}

impl ser::SerializeStruct for Listed<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.key(key)?;
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.list.finish()
    }
}

impl ser::SerializeMap for Listed<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.list.finish()
    }
}

impl ser::SerializeSeq for Listed<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, pair: &T) -> Result<(), Error> {
        let form = self.form;
        self.list.put_with(|out| pair.serialize(PairSerializer { out, form }))
    }

    fn end(self) -> Result<(), Error> {
        self.list.finish()
    }
}

/// Writes one pair of a list of pairs, the first of it as an atom.
struct PairSerializer<'a> {
    out: &'a mut Vec<u8>,
    form: Form,
}

struct Pair<'a> {
    out: &'a mut Vec<u8>,
    form: Form,
    written: usize,
}

impl ser::SerializeTuple for Pair<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.written += 1;
        match self.written {
            1 => write_key(value, self.out, self.form.of_text(Text::Atom)),
            _ => value.serialize(Serializer::new(self.out, self.form)),
        }
        .map_err(|error| error.within(Segment::Element(self.written - 1)))
    }

    fn end(self) -> Result<(), Error> {
        match self.written {
            2 => Ok(()),
            _ => Err(no_pair()),
        }
    }
}

fn no_pair() -> Error {
    ser::Error::custom("the elements of a keyword list are pairs of a key and a value")
}

fn no_list() -> Error {
    ser::Error::custom("only a struct, a map or a list of pairs can be written as a keyword list")
}

impl<'a> ser::Serializer for ListedSerializer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Listed<'a>;
    type SerializeTuple = Listed<'a>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Listed<'a>;
    type SerializeStruct = Listed<'a>;
    type SerializeStructVariant = Impossible<(), Error>;

    refuse!((), no_list);

    fn serialize_none(self) -> Result<(), Error> {
        Serializer::new(self.out, self.form).serialize_none()
    }

    fn serialize_unit(self) -> Result<(), Error> {
        encode::nil(self.out);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Listed<'a>, Error> {
        self.pairs(length)
    }

    fn serialize_tuple(self, length: usize) -> Result<Listed<'a>, Error> {
        self.pairs(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Err(no_list())
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Listed<'a>, Error> {
        self.pairs(length)
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Listed<'a>, Error> {
        self.pairs(Some(length))
    }
}

impl ser::SerializeTuple for Listed<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, pair: &T) -> Result<(), Error> {
        ser::SerializeSeq::serialize_element(self, pair)
    }

    fn end(self) -> Result<(), Error> {
        self.list.finish()
    }
}

impl<'a> ser::Serializer for PairSerializer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Pair<'a>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    refuse!((), no_pair);

    fn serialize_none(self) -> Result<(), Error> {
        Err(no_pair())
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Err(no_pair())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        Err(no_pair())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), Error> {
        match name {
            // A term that is a pair already, or not: it is the caller's.
            special::TERM => Serializer::new(self.out, self.form).serialize_newtype_struct(name, value),
            _ => value.serialize(self),
        }
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        Err(no_pair())
    }

    fn serialize_tuple(self, length: usize) -> Result<Pair<'a>, Error> {
        encode::tuple_header(self.out, length);
        Ok(Pair { out: self.out, form: self.form, written: 0 })
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Err(no_pair())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Error> {
        Err(no_pair())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Error> {
        Err(no_pair())
    }
}
