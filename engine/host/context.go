// Docker contexts.

package host

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/containerd/errdefs"
	clicontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/go-connections/tlsconfig"

	"github.com/dscript/dscript/engine"
)

type tlsConfig = tls.Config

// context is the engine of a Docker context.
func (f *finder) context(source, name string) (Found, error) {
	if name == "default" {
		return Found{}, &engine.Error{Op: "connect", Object: name, Kind: engine.KindInvalid,
			Message: source + `: the context "default" is what the environment says, and not a place`}
	}
	if f.config == "" {
		return Found{}, &engine.Error{Op: "connect", Object: name, Kind: engine.KindNotFound, Message: source + ": there is no directory with Docker's contexts"}
	}
	o, err := contextOptions(filepath.Join(f.config, "contexts"), name)
	if errdefs.IsNotFound(err) {
		return Found{}, &engine.Error{Op: "connect", Object: name, Kind: engine.KindNotFound, Message: source + ": there is no Docker context " + name, Hint: "docker context ls", Err: err}
	}
	if err != nil {
		return Found{}, invalid(source+" "+name, name, err)
	}
	return Found{Options: o, Source: "context " + name}, nil
}

func contextOptions(dir, name string) (engine.Options, error) {
	s := store.New(dir, store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(docker.DockerEndpoint, func() any { return &docker.EndpointMeta{} }),
	))
	metadata, err := s.GetMetadata(name)
	if err != nil {
		return engine.Options{}, err
	}
	meta, err := docker.EndpointFromContext(metadata)
	if err != nil {
		return engine.Options{}, err
	}
	endpoint, err := docker.WithTLSData(s, name, meta)
	if err != nil {
		return engine.Options{}, err
	}
	if endpoint.Host == "" {
		return engine.Options{}, errors.New("it names no engine")
	}
	o, err := options(endpoint.Host)
	if err == nil && isTCP(endpoint.Host) && (endpoint.TLSData != nil || endpoint.SkipTLSVerify) {
		o.TLS, err = contextTLS(endpoint.TLSData, endpoint.SkipTLSVerify)
	}
	return o, err
}

// contextTLS is a context's own TLS.
func contextTLS(data *clicontext.TLSData, insecure bool) (*tls.Config, error) {
	c := tlsconfig.ClientDefault()
	c.InsecureSkipVerify = insecure
	if data == nil {
		return c, nil
	}
	if len(data.CA) > 0 {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(data.CA) {
			return nil, errors.New("its ca.pem holds no certificate")
		}
	}
	if len(data.Cert) > 0 && len(data.Key) > 0 {
		pair, err := tls.X509KeyPair(data.Cert, data.Key)
		if err != nil {
			return nil, fmt.Errorf("its key pair: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
