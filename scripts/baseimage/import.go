package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/dscript/dscript/engine"
)

// The users that the image of the registry has.
const passwd = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`

const group = `root:x:0:
daemon:x:1:
bin:x:2:
www-data:x:33:
users:x:100:
nobody:x:65534:
`

// importImage makes the base image out of one static busybox: the program, a
// link for each of its commands, a few users and the usual directories.
func importImage(ctx context.Context, c *engine.Client, busybox string) error {
	layer, err := rootFS(busybox)
	if err != nil {
		return err
	}
	_, err = c.ImportImage(ctx, layer, engine.ImportOptions{Ref: image, Changes: []string{
		`CMD ["sh"]`,
		"ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	}})
	return err
}

func rootFS(busybox string) (*bytes.Buffer, error) {
	program, err := os.ReadFile(busybox)
	if err != nil {
		return nil, err
	}
	commands, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --list: %w", busybox, err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, dir := range strings.Fields("bin dev etc home root tmp usr usr/bin usr/sbin var var/spool var/www var/tmp") {
		h := &tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755}
		if strings.HasSuffix(dir, "tmp") {
			h.Mode = 0o1777
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
	}
	for name, text := range map[string]string{"etc/passwd": passwd, "etc/group": group} {
		if err := addFile(w, name, 0o644, []byte(text)); err != nil {
			return nil, err
		}
	}
	if err := addFile(w, "bin/busybox", 0o755, program); err != nil {
		return nil, err
	}
	for _, name := range strings.Fields(string(commands)) {
		if name == "busybox" {
			continue
		}
		h := &tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: "busybox", Mode: 0o777}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
	}
	return &b, w.Close()
}

func addFile(w *tar.Writer, name string, mode int64, data []byte) error {
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(data))}); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}
