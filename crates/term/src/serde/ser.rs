//! Values to bytes.

use serde::ser::{self, Serialize};

use super::{Error, RAW};
use crate::codec::encode;

/// Appends one value to a buffer.
pub(super) struct Serializer<'a> {
    out: &'a mut Vec<u8>,
    raw: bool,
}

impl<'a> Serializer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Serializer<'a> {
        Serializer { out, raw: false }
    }
}

/// A collection whose head has been written. Where the count was not known, it is filled in at the end.
pub(super) struct Compound<'a> {
    out: &'a mut Vec<u8>,
    close: Close,
}

enum Close {
    Nothing,
    Nil,
    /// The list began at this place; so many elements have been written.
    CountedList(usize, u32),
    CountedMap(usize, u32),
}

impl Compound<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if let Close::CountedList(_, count) | Close::CountedMap(_, count) = &mut self.close {
            *count += 1;
        }
        value.serialize(Serializer::new(self.out))
    }

    fn finish(self) -> Result<(), Error> {
        match self.close {
            Close::Nothing => {}
            Close::Nil => encode::nil(self.out),
            Close::CountedList(start, 0) => {
                self.out.truncate(start);
                encode::nil(self.out);
            }
            Close::CountedList(start, count) => {
                self.out[start + 1..start + 5].copy_from_slice(&count.to_be_bytes());
                encode::nil(self.out);
            }
            Close::CountedMap(start, count) => {
                self.out[start + 1..start + 5].copy_from_slice(&count.to_be_bytes());
            }
        }
        Ok(())
    }
}

macro_rules! integers {
    ($($name:ident: $type:ty;)*) => {
        $(fn $name(self, number: $type) -> Result<(), Error> {
            encode::integer(self.out, i64::from(number));
            Ok(())
        })*
    };
}

impl<'a> ser::Serializer for Serializer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    fn is_human_readable(&self) -> bool {
        false
    }

    integers! {
        serialize_i8: i8;
        serialize_i16: i16;
        serialize_i32: i32;
        serialize_i64: i64;
        serialize_u8: u8;
        serialize_u16: u16;
        serialize_u32: u32;
    }

    fn serialize_u64(self, number: u64) -> Result<(), Error> {
        encode::unsigned(self.out, number);
        Ok(())
    }

    fn serialize_i128(self, number: i128) -> Result<(), Error> {
        encode::big_integer(self.out, &number.into());
        Ok(())
    }

    fn serialize_u128(self, number: u128) -> Result<(), Error> {
        encode::big_integer(self.out, &number.into());
        Ok(())
    }

    fn serialize_f32(self, number: f32) -> Result<(), Error> {
        self.serialize_f64(f64::from(number))
    }

    fn serialize_f64(self, number: f64) -> Result<(), Error> {
        encode::float(self.out, number);
        Ok(())
    }

    fn serialize_bool(self, truth: bool) -> Result<(), Error> {
        encode::atom_str(self.out, if truth { "true" } else { "false" });
        Ok(())
    }

    fn serialize_char(self, character: char) -> Result<(), Error> {
        encode::integer(self.out, i64::from(u32::from(character)));
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        self.serialize_bytes(text.as_bytes())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        if self.raw {
            self.out.extend_from_slice(bytes);
        } else {
            encode::binary(self.out, bytes);
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        encode::atom_str(self.out, "nil");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        encode::atom_str(self.out, variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(Serializer { out: self.out, raw: name == RAW })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        encode::tuple_header(self.out, 2);
        encode::atom_str(self.out, variant);
        value.serialize(Serializer::new(self.out))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Compound<'a>, Error> {
        let close = match length {
            Some(0) => {
                encode::nil(self.out);
                Close::Nothing
            }
            Some(length) => {
                encode::list_header(self.out, length);
                Close::Nil
            }
            None => {
                let start = self.out.len();
                encode::list_header(self.out, 0);
                Close::CountedList(start, 0)
            }
        };
        Ok(Compound { out: self.out, close })
    }

    fn serialize_tuple(self, length: usize) -> Result<Compound<'a>, Error> {
        encode::tuple_header(self.out, length);
        Ok(Compound { out: self.out, close: Close::Nothing })
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Compound<'a>, Error> {
        self.serialize_tuple(length)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Compound<'a>, Error> {
        encode::tuple_header(self.out, length + 1);
        encode::atom_str(self.out, variant);
        Ok(Compound { out: self.out, close: Close::Nothing })
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Compound<'a>, Error> {
        let start = self.out.len();
        encode::map_header(self.out, length.unwrap_or(0));
        let close = if length.is_some() { Close::Nothing } else { Close::CountedMap(start, 0) };
        Ok(Compound { out: self.out, close })
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Compound<'a>, Error> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Compound<'a>, Error> {
        encode::tuple_header(self.out, 2);
        encode::atom_str(self.out, variant);
        self.serialize_map(Some(length))
    }
}

macro_rules! sequences {
    ($($trait:ident: $method:ident;)*) => {
        $(impl ser::$trait for Compound<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

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

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
                encode::atom_str(self.out, key);
                self.element(value)
            }

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
        key.serialize(Serializer::new(self.out))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.element(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}
