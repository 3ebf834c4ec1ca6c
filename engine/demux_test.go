package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// frame is one frame as engines send it.
func frame(stream byte, data string) []byte {
	b := make([]byte, frameHeader, frameHeader+len(data))
	b[0] = stream
	binary.BigEndian.PutUint32(b[4:], uint32(len(data)))
	return append(b, data...)
}

// demuxAll takes everything apart, with a buffer of the given size.
func demuxAll(r io.Reader, buffer int) (stdout, stderr []byte, err error) {
	d := demuxer{r: r, buf: make([]byte, buffer)}
	for {
		f, err := d.next()
		if errors.Is(err, io.EOF) && err != io.EOF {
			return stdout, stderr, errors.New("an error that could be taken for the end")
		}
		if err != nil {
			return stdout, stderr, err
		}
		if f.Stream == Stdout {
			stdout = append(stdout, f.Data...)
		} else {
			stderr = append(stderr, f.Data...)
		}
	}
}

// threeFrames is a stream, with the boundaries of its frames.
func threeFrames() (stream []byte, boundaries map[int]bool) {
	boundaries = map[int]bool{0: true}
	for _, f := range [][]byte{frame(1, "out\x00put"), frame(2, "err"), frame(1, "\x01\x00\x00\x00\x00\x00\x00\x04more")} {
		stream = append(stream, f...)
		boundaries[len(stream)] = true
	}
	return stream, boundaries
}

func TestDemuxCutAtEveryByte(t *testing.T) {
	stream, boundaries := threeFrames()
	whole := "out\x00put\x01\x00\x00\x00\x00\x00\x00\x04more"
	for cut := range len(stream) + 1 {
		for _, wrap := range []func(io.Reader) io.Reader{
			func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader, iotest.HalfReader,
		} {
			stdout, stderr, err := demuxAll(wrap(bytes.NewReader(stream[:cut])), 64)
			if boundaries[cut] {
				assert.Equal(t, io.EOF, err, "cut at %d", cut)
			} else {
				assert.ErrorIs(t, err, ErrTruncated, "cut at %d", cut)
				assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
			}
			assert.Equal(t, whole[:len(stdout)], string(stdout), "cut at %d: what came is given", cut)
			assert.Equal(t, "err"[:len(stderr)], string(stderr))
		}
	}
}

func TestDemuxIsTheSameHoweverBytesCome(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var stream []byte
	for range 200 {
		data := make([]byte, r.IntN(300))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		stream = append(stream, frame(byte(1+r.IntN(2)), string(data))...)
	}
	stdout, stderr, err := demuxAll(bytes.NewReader(stream), demuxBuffer)
	require.Equal(t, io.EOF, err)
	for range 300 {
		split := &randomReader{data: stream, r: r}
		out, errOut, err := demuxAll(split, frameHeader+r.IntN(100))
		require.Equal(t, io.EOF, err)
		require.True(t, bytes.Equal(stdout, out) && bytes.Equal(stderr, errOut))
	}
}

// randomReader gives its data in pieces of random size.
type randomReader struct {
	data []byte
	r    *rand.Rand
}

func (s *randomReader) Read(p []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.data[:min(len(s.data), 1+s.r.IntN(50))])
	s.data = s.data[n:]
	return n, nil
}

func TestDemuxCorruptFrames(t *testing.T) {
	good := frame(1, "good")
	for name, bad := range map[string][]byte{
		"stream 4":           {4, 0, 0, 0, 0, 0, 0, 1, 'x'},
		"stream 255":         {255, 0, 0, 0, 0, 0, 0, 1, 'x'},
		"text":               []byte("HTTP/1.1 200 OK\r\n"),
		"reserved byte":      {1, 0, 1, 0, 0, 0, 0, 1, 'x'},
		"2 GiB":              {1, 0, 0, 0, 0x80, 0, 0, 0, 'x'},
		"4 GiB":              {1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 'x'},
		"longer than it is":  {1, 0, 0, 0, 0, 0, 0, 200, 'x'},
		"16 MiB, one byte":   {1, 0, 0, 0, 1, 0, 0, 0, 'x'},
		"header without end": {1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			stdout, _, err := demuxAll(bytes.NewReader(append(bytes.Clone(good), bad...)), 256)
			runtime.ReadMemStats(&after)
			assert.ErrorIs(t, err, ErrTruncated)
			assert.Equal(t, "good", string(stdout[:4]))
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
		})
	}
}

func TestDemuxEmptyFramesAndEngineErrors(t *testing.T) {
	stream := append(append(frame(1, ""), frame(2, "")...), frame(0, "stdin counts as stdout")...)
	stdout, stderr, err := demuxAll(bytes.NewReader(stream), 16)
	assert.Equal(t, io.EOF, err)
	assert.Equal(t, "stdin counts as stdout", string(stdout))
	assert.Empty(t, stderr)

	_, _, err = demuxAll(bytes.NewReader(frame(3, "the disk is full")), 256)
	assert.ErrorIs(t, err, ErrInternal)
	assert.ErrorContains(t, err, "the disk is full")
}

func TestDemuxStopsAtABrokenReader(t *testing.T) {
	broken := errors.New("broken")
	_, _, err := demuxAll(io.MultiReader(bytes.NewReader(frame(1, "a")), iotest.ErrReader(broken)), 64)
	assert.Equal(t, broken, err)
	_, _, err = demuxAll(stuckReader{}, 64)
	assert.Equal(t, io.ErrNoProgress, err)
}

type stuckReader struct{}

func (stuckReader) Read([]byte) (int, error) { return 0, nil }

// FuzzDemux compares with the official demultiplexer, on streams that it takes
// for whole, however they are cut into reads.
func FuzzDemux(f *testing.F) {
	three, _ := threeFrames()
	for _, seed := range [][]byte{
		nil, three, frame(1, ""), append(frame(2, "x"), frame(0, "y")...), frame(3, "error"),
		three[:5], three[:len(three)-1], {9, 0, 0, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 255, 255, 255, 255},
		bytes.Repeat(frame(1, "many"), 50), frame(1, string(make([]byte, 1000))),
	} {
		f.Add(seed, uint8(64), uint64(1))
	}
	f.Fuzz(func(t *testing.T, stream []byte, buffer uint8, seed uint64) {
		size := frameHeader + int(buffer)
		whole, engineError := wellFormed(stream)
		reader := &randomReader{data: stream, r: rand.New(rand.NewPCG(seed, 0))}
		stdout, stderr, err := demuxAll(reader, size)
		if !whole {
			if err == io.EOF {
				t.Fatalf("the end of a stream that is not whole: %q", stream)
			}
			return
		}
		var wantOut, wantErr bytes.Buffer
		_, oracle := stdcopy.StdCopy(&wantOut, &wantErr, bytes.NewReader(stream))
		if (oracle != nil) != engineError || (err != io.EOF) != engineError {
			t.Fatalf("%q: err %v, the official demultiplexer %v", stream, err, oracle)
		}
		if !bytes.Equal(stdout, wantOut.Bytes()) || !bytes.Equal(stderr, wantErr.Bytes()) {
			t.Fatalf("%q: %q %q, the official demultiplexer %q %q", stream, stdout, stderr, wantOut.Bytes(), wantErr.Bytes())
		}
	})
}

// wellFormed reports whether a stream consists of whole frames, and whether it
// holds an engine's error, which ends it.
func wellFormed(stream []byte) (whole, engineError bool) {
	for len(stream) > 0 {
		if len(stream) < frameHeader || stream[0] > 3 || stream[1] != 0 || stream[2] != 0 || stream[3] != 0 {
			return false, false
		}
		size := binary.BigEndian.Uint32(stream[4:])
		if size > frameLimit || int(size) > len(stream)-frameHeader {
			return false, false
		}
		if stream[0] == 3 {
			return true, true
		}
		stream = stream[frameHeader+size:]
	}
	return true, false
}

func TestCaptureKeepsOrderAndLimit(t *testing.T) {
	c := capture{limit: 10}
	c.add(Stdout, []byte("12345"))
	c.add(Stderr, []byte("abc"))
	c.add(Stdout, []byte("6789012345"))
	c.add(Stderr, []byte("def"))
	var r ExecResult
	c.result(&r)
	assert.Equal(t, "1234567890", string(r.Stdout))
	assert.Equal(t, "abcdef", string(r.Stderr))
	assert.Equal(t, "12345abc67890def", string(r.Output))
	assert.True(t, r.Truncated)
}

// Collecting takes linear time: what is allocated is at most a small multiple
// of what is kept, whatever its size.
func TestCaptureIsLinear(t *testing.T) {
	piece := make([]byte, 1000)
	for _, size := range []int{1 << 20, 4 << 20, 16 << 20} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c := capture{limit: 1 << 30}
		for n := 0; n < size; n += len(piece) {
			c.add(Stdout, piece)
		}
		var r ExecResult
		c.result(&r)
		runtime.ReadMemStats(&after)
		assert.GreaterOrEqual(t, len(r.Stdout), size)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(size)*7/2)
	}
}
