// Protobuf: the little of it that BuildKit's session and trace need, by hand. The
// messages are few, small and fixed.

package engine

import (
	"encoding/binary"
	"errors"
	"time"
)

var errProtobuf = errors.New("a message that is no protobuf")

// A protoField is one field of a message.
type protoField struct {
	number int
	value  uint64 // of a number
	bytes  []byte // of a text, bytes or a message; a part of what was parsed
}

// protoFields calls each for the fields of a message, in their order.
func protoFields(message []byte, each func(protoField) error) error {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
			return errProtobuf
		}
		message = message[n:]
		f := protoField{number: int(tag >> 3)}
		switch tag & 7 {
		case 0:
			if f.value, n = binary.Uvarint(message); n <= 0 {
				return errProtobuf
			}
		case 1:
			n = 8
		case 2:
			size, m := binary.Uvarint(message)
			if m <= 0 || size > uint64(len(message)-m) {
				return errProtobuf
			}
			n = m + int(size)
			f.bytes = message[m:n]
		case 5:
			n = 4
		default:
			return errProtobuf
		}
		if n > len(message) {
			return errProtobuf
		}
		message = message[n:]
		if err := each(f); err != nil {
			return err
		}
	}
	return nil
}

// protoString is the text of one field of a message, "" when it has none.
func protoString(message []byte, number int) (text string, err error) {
	err = protoFields(message, func(f protoField) error {
		if f.number == number {
			text = string(f.bytes)
		}
		return nil
	})
	return text, err
}

// protoTime reads a google.protobuf.Timestamp.
func protoTime(message []byte) (time.Time, error) {
	var seconds, nanos uint64
	err := protoFields(message, func(f protoField) error {
		switch f.number {
		case 1:
			seconds = f.value
		case 2:
			nanos = f.value
		}
		return nil
	})
	return time.Unix(int64(seconds), int64(nanos)), err
}

// appendNumber appends a field that is a number, unless it is 0.
func appendNumber(message []byte, number int, value uint64) []byte {
	if value == 0 {
		return message
	}
	message = binary.AppendUvarint(message, uint64(number)<<3)
	return binary.AppendUvarint(message, value)
}

// appendBytes appends a field that is a text, bytes or a message, also an empty one.
func appendBytes[B string | []byte](message []byte, number int, value B) []byte {
	message = binary.AppendUvarint(message, uint64(number)<<3|2)
	message = binary.AppendUvarint(message, uint64(len(value)))
	return append(message, value...)
}
