//! Values to bytes.

mod compound;
mod listed;
mod refuse;
mod rest;

use serde::ser::{self, Serialize};

use super::error::{Error, Segment};
use super::module::Module;
use super::passing;
use super::special;
use crate::codec::{encode, tag};

use compound::Compound;
use listed::ListedSerializer;

/// Appends one value to a buffer.
pub(super) struct Serializer<'a> {
    out: &'a mut Vec<u8>,
    form: Form,
}

/// In which of several forms a value is written.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// `None` is `undefined` rather than `nil`.
    pub(super) undefined: bool,
    /// What a text becomes.
    pub(super) text: Text,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    Binary,
    Atom,
    Charlist,
    /// The bytes are a term already.
    Raw,
}

impl Form {
    pub(super) fn new(undefined: bool) -> Form {
        Form { undefined, text: Text::Binary }
    }

    fn of_text(self, text: Text) -> Form {
        Form { text, ..self }
    }
}

impl<'a> Serializer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, form: Form) -> Serializer<'a> {
        Serializer { out, form }
    }

    fn charlist(self, text: &str) -> Result<(), Error> {
        let count = text.chars().count();
        if count == 0 {
            encode::nil(self.out);
            return Ok(());
        }
        // As Erlang writes it: a list of bytes has a short form.
        if count <= usize::from(u16::MAX) && text.chars().all(|character| u32::from(character) < 256) {
            self.out.push(tag::STRING);
            self.out.extend_from_slice(&(count as u16).to_be_bytes());
            self.out.extend(text.chars().map(|character| character as u8));
            return Ok(());
        }
        check_size(count)?;
        encode::list_header(self.out, count);
        text.chars().for_each(|character| encode::integer(self.out, i64::from(u32::from(character))));
        encode::nil(self.out);
        Ok(())
    }

    fn fields(self, module: Option<Module>, length: usize) -> Result<Compound<'a>, Error> {
        let mut fields = Compound::map(self.out, self.form, length);
        if let Some(module) = module {
            fields.module(module)?;
        }
        Ok(fields)
    }
}

/// Writes an atom whose text comes from a program or a value.
#[inline]
fn atom(out: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    if text.len() > 255
        && let Err(error) = crate::Atom::new(text)
    {
        return Err(ser::Error::custom(error));
    }
    encode::atom_str(out, text);
    Ok(())
}

fn check_size(size: usize) -> Result<(), Error> {
    match u32::try_from(size) {
        Ok(_) => Ok(()),
        Err(_) => Err(ser::Error::custom(format_args!("the format has no room for a size of {size}"))),
    }
}

macro_rules! integers {
    ($($name:ident: $type:ty;)*) => {
        $(#[inline]
        fn $name(self, number: $type) -> Result<(), Error> {
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
        if !number.is_finite() {
            return Err(ser::Error::custom(format_args!("Erlang has no float {number}")));
        }
        encode::float(self.out, number);
        Ok(())
    }

    #[inline]
    fn serialize_bool(self, truth: bool) -> Result<(), Error> {
        encode::atom_str(self.out, if truth { "true" } else { "false" });
        Ok(())
    }

    fn serialize_char(self, character: char) -> Result<(), Error> {
        encode::integer(self.out, i64::from(u32::from(character)));
        Ok(())
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Result<(), Error> {
        match self.form.text {
            Text::Atom => atom(self.out, text),
            Text::Charlist => self.charlist(text),
            Text::Binary | Text::Raw => self.serialize_bytes(text.as_bytes()),
        }
    }

    #[inline]
    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        if self.form.text == Text::Raw {
            self.out.extend_from_slice(bytes);
            return Ok(());
        }
        check_size(bytes.len())?;
        encode::binary(self.out, bytes);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        encode::atom_str(self.out, if self.form.undefined { "undefined" } else { "nil" });
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        encode::atom_str(self.out, "nil");
        Ok(())
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Error> {
        match Module::of(name) {
            Some(module) => self.fields(Some(module), 0)?.finish(),
            None => self.serialize_unit(),
        }
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        match Module::of_variant(variant) {
            Some(module) => self.fields(Some(module), 0)?.finish(),
            None => atom(self.out, variant),
        }
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), Error> {
        if !name.starts_with(special::PREFIX) {
            return value.serialize(self);
        }
        match name {
            special::TERM => {
                passing::write(self.out, |out| value.serialize(Serializer { out, form: self.form.of_text(Text::Raw) }))
            }
            special::ATOM => value.serialize(Serializer { form: self.form.of_text(Text::Atom), ..self }),
            special::CHARLIST => value.serialize(Serializer { form: self.form.of_text(Text::Charlist), ..self }),
            special::UNDEFINED => value.serialize(Serializer { form: Form { undefined: true, ..self.form }, ..self }),
            special::KEYWORD | special::PROPLIST => value.serialize(ListedSerializer::new(self.out, self.form)),
            _ => value.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let written = if Module::of_variant(variant).is_some() {
            // The value is the struct.
            value.serialize(self)
        } else {
            encode::tuple_header(self.out, 2);
            atom(self.out, variant)?;
            value.serialize(self)
        };
        written.map_err(|error| error.within(Segment::Variant(variant.to_owned())))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Compound<'a>, Error> {
        Ok(Compound::list(self.out, self.form, length.unwrap_or(0)))
    }

    fn serialize_tuple(self, length: usize) -> Result<Compound<'a>, Error> {
        check_size(length)?;
        encode::tuple_header(self.out, length);
        Ok(Compound::tuple(self.out, self.form, length, None))
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
        if Module::of_variant(variant).is_some() {
            return Err(ser::Error::custom(format_args!("{variant} is a struct, which has names for its values")));
        }
        check_size(length)?;
        encode::tuple_header(self.out, length + 1);
        atom(self.out, variant)?;
        Ok(Compound::tuple(self.out, self.form, length, Some(variant)))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Compound<'a>, Error> {
        Ok(Compound::map(self.out, self.form, length.unwrap_or(0)))
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Compound<'a>, Error> {
        self.fields(Module::of(name), length)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Compound<'a>, Error> {
        let module = Module::of_variant(variant);
        if module.is_none() {
            encode::tuple_header(self.out, 2);
            atom(self.out, variant)?;
        }
        Ok(self.fields(module, length)?.in_variant(variant))
    }
}
