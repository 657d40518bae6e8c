//! The world's numbering plans as small tables: calling codes, which digits are a valid number
//! where, and how numbers are grouped. Data only; made from libphonenumber's metadata.
