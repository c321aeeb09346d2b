//! A `$rest` field: pairs that are written into the map of the struct around it.

use serde::ser::{self, Impossible, Serialize};

use super::Form;
use super::compound::Compound;
use super::refuse::refuse;
use crate::serde::error::Error;

/// Pairs that are written into the map of another. Gives how many they are.
pub(super) struct Inline<'a> {
    out: &'a mut Vec<u8>,
    form: Form,
}

impl<'a> Inline<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, form: Form) -> Inline<'a> {
        Inline { out, form }
    }
}

pub(super) struct Inlined<'a>(Compound<'a>);

impl ser::SerializeMap for Inlined<'_> {
    type Ok = usize;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.0.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.0.serialize_value(value)
    }

    fn end(self) -> Result<usize, Error> {
        self.0.finish_counted()
    }
}

impl ser::SerializeStruct for Inlined<'_> {
    type Ok = usize;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        ser::SerializeStruct::serialize_field(&mut self.0, key, value)
    }

    fn end(self) -> Result<usize, Error> {
        self.0.finish_counted()
    }
}

impl<'a> ser::Serializer for Inline<'a> {
    type Ok = usize;
    type Error = Error;
    type SerializeSeq = Impossible<usize, Error>;
    type SerializeTuple = Impossible<usize, Error>;
    type SerializeTupleStruct = Impossible<usize, Error>;
    type SerializeTupleVariant = Impossible<usize, Error>;
    type SerializeMap = Inlined<'a>;
    type SerializeStruct = Inlined<'a>;
    type SerializeStructVariant = Impossible<usize, Error>;

    refuse!(usize, no_map);

    fn serialize_none(self) -> Result<usize, Error> {
        Ok(0)
    }

    fn serialize_unit(self) -> Result<usize, Error> {
        Ok(0)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<usize, Error> {
        Ok(0)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<usize, Error> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        Err(no_map())
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        Err(no_map())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Err(no_map())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Inlined<'a>, Error> {
        Ok(Inlined(Compound::inline(self.out, self.form)))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Inlined<'a>, Error> {
        Ok(Inlined(Compound::inline(self.out, self.form)))
    }
}

fn no_map() -> Error {
    ser::Error::custom("only a struct or a map can be written into the map around it")
}
