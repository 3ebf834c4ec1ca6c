package engine

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
)

// BenchmarkDemux takes 16 MiB of frames apart, beside the official demultiplexer.
// The metric "x" is how many times as fast it is.
func BenchmarkDemux(b *testing.B) {
	for _, size := range []int{64, 1 << 10, 8 << 10, 32 << 10} {
		one := frame(1, string(make([]byte, size)))
		stream := bytes.Repeat(one, 16<<20/len(one))
		ours := func() {
			d := demuxer{r: bytes.NewReader(stream), buf: make([]byte, demuxBuffer)}
			for {
				if _, err := d.next(); err != nil {
					if err != io.EOF {
						b.Fatal(err)
					}
					return
				}
			}
		}
		official := func() {
			if _, err := stdcopy.StdCopy(io.Discard, io.Discard, bytes.NewReader(stream)); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("engine/%d", size), func(b *testing.B) {
			b.SetBytes(int64(len(stream)))
			for b.Loop() {
				ours()
			}
			const rounds = 5
			b.ReportMetric(float64(took(rounds, official))/float64(took(rounds, ours)), "x")
		})
		b.Run(fmt.Sprintf("stdcopy/%d", size), func(b *testing.B) {
			b.SetBytes(int64(len(stream)))
			for b.Loop() {
				official()
			}
		})
	}
}

func took(rounds int, f func()) time.Duration {
	start := time.Now()
	for range rounds {
		f()
	}
	return time.Since(start)
}
