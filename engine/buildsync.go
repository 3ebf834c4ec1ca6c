// FileSync: how BuildKit gets the files of a context (moby.filesync.v1.FileSync over
// the packets of github.com/tonistiigi/fsutil). We tell of every file, it asks for the
// content of those that it wants.

package engine

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
)

// Types of packets.
const (
	packetStat    = 0
	packetRequest = 1
	packetData    = 2
	packetEnd     = 3
	packetError   = 4
)

// A packet is fsutil's Packet{type = 1, stat = 2, ID = 3, data = 4}.
func packet(kind, id uint64) []byte {
	return appendNumber(appendNumber(nil, 1, kind), 3, id)
}

// stat is fsutil's Stat{path = 1, mode = 2, uid = 3, gid = 4, size = 5, modTime = 6,
// linkname = 7}; the mode is Go's own, owner and time are 0.
func (f BuildFile) stat() []byte {
	stat := appendBytes(nil, 1, f.Path)
	stat = appendNumber(stat, 2, uint64(uint32(f.Mode)))
	if f.Mode.IsRegular() {
		stat = appendNumber(stat, 5, uint64(f.Size))
	}
	if f.Link != "" {
		stat = appendBytes(stat, 7, f.Link)
	}
	return stat
}

// syncing serves DiffCopy for the directories "context" and "dockerfile".
func (s *buildSession) syncing(b BuildContext) grpcMethod {
	dockerfile := []BuildFile{}
	for _, dir := range above(b.Dockerfile.Path) {
		dockerfile = append(dockerfile, BuildFile{Path: dir, Mode: 0o755 | fs.ModeDir})
	}
	dockerfile = append(dockerfile, b.Dockerfile)
	context := b.Files
	return func(r *http.Request, stream *grpcStream) error {
		s.busy.RLock()
		defer s.busy.RUnlock()
		selected := selectionOf(r.Header)
		var files []BuildFile
		switch name := r.Header.Get("Dir-Name"); name {
		case "context":
			files = context
			if b.Ignored && len(selected.follow) == 1 && selected.follow[0] == ignoreFile {
				files = nil // it is not asked what is left out
			}
		case "dockerfile":
			files = dockerfile
		default:
			return fmt.Errorf("there is no directory %q", name)
		}
		files, err := selected.of(files)
		if err != nil {
			return err
		}
		defer r.Body.Close()
		return s.copyFiles(stream, files)
	}
}

// copyFiles tells of the files and sends what is asked for, to the end.
func (s *buildSession) copyFiles(stream *grpcStream, files []BuildFile) error {
	wanted := make(chan uint64, len(files)) // each file is asked for once
	ended := make(chan error, 1)
	s.served.Go(func() {
		err := requests(stream, wanted)
		ended <- err
		close(wanted)
	})
	for _, f := range files {
		if err := stream.send(appendBytes(packet(packetStat, 0), 2, f.stat())); err != nil {
			return err
		}
	}
	if err := stream.send(packet(packetStat, 0)); err != nil {
		return err
	}
	if err := stream.flush(); err != nil {
		return err
	}
	sending := &fileSending{stream: stream, buf: make([]byte, 32<<10)}
	for id := range wanted {
		if id >= uint64(len(files)) || !files[id].Mode.IsRegular() {
			return fmt.Errorf("there is no file %d", id)
		}
		sending.id = id
		if err := files[id].copy(sending, sending.buf); err != nil {
			if sending.err == nil {
				s.fail(err)
				_ = stream.send(appendBytes(packet(packetError, 0), 4, err.Error()))
			}
			return err
		}
		if err := stream.send(packet(packetData, id)); err != nil {
			return err
		}
		if len(wanted) > 0 {
			continue
		}
		if err := stream.flush(); err != nil {
			return err
		}
	}
	if err := <-ended; err != nil {
		return err
	}
	return stream.send(packet(packetEnd, 0))
}

// requests reads what the receiver asks for, until it has all.
func requests(stream *grpcStream, wanted chan<- uint64) error {
	for {
		message, err := stream.receive()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		var kind, id uint64
		var data []byte
		err = protoFields(message, func(f protoField) error {
			switch f.number {
			case 1:
				kind = f.value
			case 3:
				id = f.value
			case 4:
				data = f.bytes
			}
			return nil
		})
		switch {
		case err != nil:
			return err
		case kind == packetEnd:
			return nil
		case kind == packetError:
			return fmt.Errorf("the receiver of the files: %s", clean(string(data)))
		case kind != packetRequest:
			return fmt.Errorf("a packet of type %d", kind)
		}
		select {
		case wanted <- id:
		default:
			return fmt.Errorf("more files are asked for than there are")
		}
	}
}

// A fileSending writes the content of one file.
type fileSending struct {
	stream *grpcStream
	id     uint64
	packet []byte
	buf    []byte
	err    error
}

func (s *fileSending) Write(p []byte) (int, error) {
	s.packet = appendNumber(appendNumber(s.packet[:0], 1, packetData), 3, s.id)
	s.packet = appendBytes(s.packet, 4, p)
	if s.err = s.stream.send(s.packet); s.err != nil {
		return 0, s.err
	}
	return len(p), nil
}
