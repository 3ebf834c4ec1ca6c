package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
)

type inner struct{ ID, IPAddress string }

type outer struct {
	inner
	ExitCode int
	Ports    []uint16
	Labels   map[string]string
	Next     *inner
	Any      any
	Named    bool `starlark:"other_name"`
	Hidden   int  `starlark:"-"`
	URLs     []string
	private  int
}

func TestToValue(t *testing.T) {
	moment := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var nilPointer *inner
	for _, test := range []struct {
		in   any
		want string
	}{
		{nil, "None"},
		{nilPointer, "None"},
		{true, "True"},
		{int8(-3), "-3"},
		{uint64(1 << 63), "9223372036854775808"},
		{1.5, "1.5"},
		{"é", `"é"`},
		{[]byte("ab"), `b"ab"`},
		{[]any{1, "a", nil, []string{"x"}}, `[1, "a", None, ["x"]]`},
		{[2]int{1, 2}, "[1, 2]"},
		{map[string]int{"b": 2, "a": 1}, `{"a": 1, "b": 2}`},
		{map[int]string{10: "x", 9: "y"}, `{9: "y", 10: "x"}`},
		{90 * time.Second, "1m30s"},
		{moment, "2026-01-02 03:04:05 +0000 UTC"},
		{errors.New("oh no"), "oh no"},
		{big.NewInt(7), "7"},
		{json.RawMessage(`{"a": [1, 2.5, 12345678901234567890]}`), `{"a": [1, 2.5, 12345678901234567890]}`},
		{starlark.MakeInt(3), "3"},
		{inner{"x", "1.2.3.4"}, `struct(id = "x", ip_address = "1.2.3.4")`},
		{&outer{private: 1, Ports: []uint16{80}}, `struct(any = None, exit_code = 0, id = "", ip_address = "", labels = {}, next = None, other_name = False, ports = [80], urls = [])`},
	} {
		v, err := runtime.ToValue(test.in)
		if assert.NoError(t, err, "%#v", test.in) {
			assert.Equal(t, test.want, v.String())
		}
	}
	type loop struct{ Next *loop }
	endless := &loop{}
	endless.Next = endless
	for _, bad := range []any{make(chan int), func() {}, []any{func() {}}, endless} {
		_, err := runtime.ToValue(bad)
		assert.Error(t, err)
	}
}

// global evaluates src and decodes its global x.
func global[T any](t *testing.T, src string) (T, error) {
	t.Helper()
	s := newSession(t, runtime.Config{})
	require.NoError(t, s.Exec(context.Background(), src))
	return runtime.Get[T](s, "x")
}

func TestGet(t *testing.T) {
	got, err := global[outer](t, `x = dict(exit_code=3, ports=(80, 443), labels={"a": "b"}, next=struct(id="n"), any=[1, {"k": b"v"}, None, 1.5], other_name=True, urls=["u"])`)
	require.NoError(t, err)
	assert.Equal(t, outer{
		ExitCode: 3, Ports: []uint16{80, 443}, Labels: map[string]string{"a": "b"}, Next: &inner{ID: "n"},
		Any: []any{int64(1), map[string]any{"k": []byte("v")}, nil, 1.5}, Named: true, URLs: []string{"u"},
	}, got)

	whole, err := global[any](t, `x = {1: struct(a=set([1])), "b": 1 << 70, "d": time.second, "s": struct(f="x").f}`)
	require.NoError(t, err)
	assert.Equal(t, map[any]any{int64(1): map[string]any{"a": []any{int64(1)}}, "b": new(big.Int).Lsh(big.NewInt(1), 70), "d": time.Second, "s": "x"}, whole)

	d, err := global[time.Duration](t, `x = "1m"`)
	require.NoError(t, err)
	assert.Equal(t, time.Minute, d)
	pairs, err := global[[2]int](t, `x = (1, 2)`)
	require.NoError(t, err)
	assert.Equal(t, [2]int{1, 2}, pairs)
	fn, err := global[starlark.Callable](t, `x = lambda: 1`)
	require.NoError(t, err)
	assert.Equal(t, "lambda", fn.Name())
	cause, err := global[error](t, `x = attempt(fail, "no").error`)
	require.NoError(t, err)
	assert.Equal(t, "fail", runtime.KindOf(cause))
	none, err := global[*int](t, `x = None`)
	require.NoError(t, err)
	assert.Nil(t, none)
}

func TestGetErrors(t *testing.T) {
	type config struct {
		Ports []int
		Sub   map[string]inner
		Small int8
		When  time.Time
	}
	for src, want := range map[string]string{
		`{"ports": [80, 443, "x"]}`:         "x.ports[2]: want int, got string",
		`struct(ports=5)`:                   "x.ports: want list, got int",
		`{"prots": []}`:                     "x.prots: no such field (did you mean ports?)",
		`struct(zzzzz=[])`:                  "x.zzzzz: no such field",
		`{"sub": {"a": {"ip_address": 5}}}`: `x.sub["a"].ip_address: want string, got int`,
		`{"sub": {5: {}}}`:                  "x.sub[5]: want string, got int",
		`{"small": 128}`:                    "x.small: 128 is out of range",
		`{"small": None}`:                   "x.small: want int, got NoneType",
		`{5: 6}`:                            "x[5]: want string key, got int",
		`7`:                                 "x: want dict or struct, got int",
		`{"when": 5}`:                       "x.when: want time.time, got int",
		`{"ports": [1 << 70]}`:              "x.ports[0]: 1180591620717411303424 is out of range",
	} {
		got, err := global[config](t, "x = "+src)
		assert.EqualError(t, err, want, src)
		assert.Equal(t, "invalid", runtime.KindOf(err), src)
		assert.Equal(t, config{}, got, "nothing is set when something does not fit")
	}
	_, err := global[[]any](t, "x = []\nx.append(x)")
	assert.ErrorContains(t, err, "nested more than 1000 deep")
	_, err = global[chan int](t, "x = 1")
	assert.ErrorContains(t, err, "cannot be set from Starlark")
	s := newSession(t, runtime.Config{})
	require.NoError(t, s.Exec(context.Background(), "port = 1"))
	_, err = runtime.Get[int](s, "prot")
	assert.EqualError(t, err, "no global prot (did you mean port?) (not_found)")
	assert.ErrorContains(t, runtime.Decode(starlark.None, 5), "want a pointer")
}

func TestNearest(t *testing.T) {
	names := strings.Fields("get list prune exit_code stdout container volume user")
	for given, want := range map[string]string{
		"gte": "get", "lst": "list", "exitcode": "exit_code", "code": "exit_code", "stdo": "stdout",
		"contaner": "container", "Volume": "volume", "usr": "user", "qqqq": "", "x": "",
	} {
		assert.Equal(t, want, runtime.Nearest(given, names), given)
	}
}
