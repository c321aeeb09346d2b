# One line for each of some 400 terms, in Base64 with a tab between the columns: the term in the external term format, then
# what this Elixir's inspect makes of it with each of the `options`, which the test has in the same order.

atoms =
  ~w(ok a A nil true false foo? foo! foo@bar _x _ __struct__ a1 é ünï 日本 app_a@127.0.0.1 nonode@nohost with-dash
     Elixir Elixir.AppB Elixir.App.B Elixir.app Elixir. Elixir.A.b Elixir.A-b + - * / == != === <= >= | || ||| && &&& ! ^ & @ . .. ... //
     %{} {} <<>> % [] -> <- => = =~ <> <<< >>> ++ -- +++ --- |> ~> <~> ~~~ ^^^ and or not in when end do fn
     else rescue catch after case , ; : :: 1a a? a?b a!b a.b A.B ? ! $gen_call $ancestors \\\\ ..// <|> <~ <<~ ~>> **) ++
    ["", " ", "a b", "it's", "say \"x\"", "back\\slash", "new\nline", "tab\t", "\#{x}", "#", "\e", "\0", "é ü", "a\u200b", "\u{1F600}", "ÿ"]

strings = ["", "abc", "é", "日本語", "say \"hi\"", "a\nb\tc\r", "\e[0m", "\0", "\d", "\x01", "\u200b", "\u{feff}", "\u{e000}", "#\{x}", "#x", "\u{1F600}",
  <<255>>, <<1, 2, 3>>, <<0xC3>>, "abc" <> <<0>>, <<200, 201>>, "\u0085", "\u00a0", "\u00ad", "\u2028", "\ufffd", "\ufffe", "\u{10ffff}", "\a\b\v\f"]

floats = [0.0, -0.0, 1.0, -1.5, 0.1, 0.2 + 0.1, 1.0e10, 100000.0, 123456.0, 1.0e15, 1.0e16, 1.0e17, 1.0e22, 1.0e-4, 1.0e-5, 2.5e-8, 12345678.9,
  1.7976931348623157e308, 5.0e-324, 123456789.125, 9007199254740991.0, 9007199254740992.0, 9007199254740993.0, 1.0e100, 0.001, 0.00012345, 1234567890123456.0, 9007199254740994.0, 9.999999999999998e15, 1.5e-4, 1.23e-5]

integers = [0, 1, -1, 255, 256, 1_000_000, -1_000_000, 9_223_372_036_854_775_808, -9_223_372_036_854_775_809, 1_606_938_044_258_990_275_541_962_092_341_162_602_522_202_993_782_792_835_301_376]

lists = [[], [1, 2, 3], ~c"abc", ~c"a\"b", ~c"a'b", [0], [7], ~c"a\nb", [97, 256], [233], ~c"é", [1, 2 | 3], [:a | :b], [[]], [[], [[]]], ["a", :b, 1.0],
  Enum.to_list(1..49), Enum.to_list(1..50), Enum.to_list(1..51), Enum.to_list(1..100), List.duplicate(97, 100), List.duplicate(:a, 60),
  List.duplicate([1, 2], 60), List.duplicate([:a, :b], 30), Enum.to_list(1..60) ++ [1 | 2], [97 | 98], List.duplicate([[]], 60),
  List.duplicate({1, :x}, 40), [List.duplicate(:x, 30), List.duplicate(:y, 30)], List.duplicate({:a, {:b, :c}}, 30)]

keywords = [[a: 1], [a: 1, b: 2], [{:a, 1}, {"b", 2}], ["a b": 1], [nil: 1, true: 2], [{:"Elixir.A", 1}], [{A, 1}, {:b, 2}], [a: [b: [c: 1]]], [+: 1, "//": 2],
  [{:a, 1} | :b], [a?: 1, b!: 2], [é: 1], ["A": 1], [{:"", 1}], [{:.., 1}], [{:|, 1}], [{:%{}, 1}], [end: 1, do: 2], [{:a, 1, 2}], Enum.map(1..60, &{:k, &1}),
  [_: 1], ["a@b": 1], [{:"app_a@127.0.0.1", 1}], [{:<<>>, 1}], [{:->, 1}], [{:., 1}], [{:..., 1}], [{:..//, 1}], [{:{}, 1}], [{:%, 1}], [{:&, 1}], [{:"::", 1}], [{:"=>", 1}]]

maps = [%{}, %{a: 1}, %{"a" => 1}, %{"a" => 1, b: 2}, %{1 => 2, 1.0 => 3, :a => 4}, %{a: %{b: %{}}}, %{nil => 1}, %{nil: 1, true: 2}, %{A => 1}, %{A => 1, :b => 2},
  %{"a b": 1}, %{{1, 2} => [3]}, %{[1] => 2, "x" => 3, {} => 4, %{} => 5, :a => 6, "b" => <<255>>}, Map.new(1..32, &{&1, &1}), Map.new(1..32, &{:"k#{&1}", &1}),
  %{__struct__: 1}, %{__struct__: :foo}, %{__struct__: nil}, %{__struct__: "x", a: 1},
  %{2 => 1, 1.5 => 2}, %{-1 => 1, 1 => 2}, %{a: 1, B: 2}, %{"é" => 1, é: 2}, %{{:a} => 1, {:b, 1} => 2}, %{[] => 1, [1] => 2, ~c"b" => 3}, %{<<1::3>> => 1, <<1>> => 2}]

tuples = [{}, {1}, {:ok, 42, "abc"}, {{}, {{}}}, List.to_tuple(Enum.to_list(1..60)), {:a, [b: 1], %{c: 2}}, {~c"abc", "abc", :abc}, {nil, true, false},
  {:error, %RuntimeError{message: "b"}}, {Enum.to_list(1..30), Enum.to_list(1..30)}, {%{a: Enum.to_list(1..60)}, 1, 2}]

bits = [<<1::1>>, <<5::3>>, <<255, 1::7>>, <<1, 2, 3::4>>, <<0::1>>, <<"abc", 1::2>>]
long = [List.duplicate(97, 5000), :binary.copy("x", 5000), :binary.copy(<<255>>, 49), :binary.copy(<<255>>, 50), :binary.copy(<<255>>, 51), :binary.copy(<<255>>, 100), {:binary.copy(<<255>>, 60), :binary.copy("é", 100)}]
structs = [1..3, 1..10//2, 5..1//-1, MapSet.new([]), MapSet.new([1, 2, :a]), ~D[2024-02-29], ~T[12:30:00], ~T[12:30:00.123], ~N[2024-02-29 12:30:00], ~U[2024-02-29 12:30:00Z], ~U[2024-02-29 12:30:00.123456Z],
  %RuntimeError{message: "x"}, %ArgumentError{}, {:badrpc, {:EXIT, {%RuntimeError{message: "boom"}, [{AppB, :f, 0, [file: ~c"lib/b.ex", line: 3]}]}}}, %{at: ~D[0001-01-01]}, [~T[00:00:00.000001]]]
funs = [&Enum.map/2, &:lists.map/2, &Kernel.+/2, &:erlang.+/2, &:"my mod".f/1, &A."b c"/0, &A.b?/0, &:a.nil/0, &:a."B"/0, &A.B.c/3]

# What is wide, nested, or both, for the layout.
words = ~w(alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon)
wide = [words, Enum.map(words, &String.to_atom/1), List.to_tuple(words), Enum.map(words, &{&1, 1}), Enum.map(words, &{String.to_atom(&1), &1}),
  Map.new(words, &{&1, String.length(&1)}), Map.new(words, &{String.to_atom(&1), [&1, &1]}), Enum.map(1..20, &[&1, &1 * 1000, [&1]]),
  {:ok, %{name: "app_a@127.0.0.1", services: [:hello, :call, :registry], peers: [%{name: :b, up: true}, %{name: :c, up: false}], options: [timeout: 5000, retry: :infinity]}},
  {:error, {:badarg, [{:erlang, :binary_to_term, [<<1, 2, 3>>], [error_info: %{module: :erl_erts_errors}]}, {AppB, :hello, 0, [file: ~c"lib/app_b.ex", line: 12]}]}},
  [[[[[["deep", ["deeper", ["deepest"]]]]]]]], {{{{:a, :b}, :c}, :d}, :e}, %{a: %{b: %{c: %{d: [1, 2, 3]}}}}, [a: [b: [c: [d: {1, 2, 3}]]]],
  {"a long string that does not fit on any line of forty characters", :x}, ["a long string that does not fit on any line of forty characters", :x],
  [short: "a long string that does not fit on any line of forty characters", other: {1, 2}], :binary.copy(<<200, 201>>, 30), {:binary.copy(<<200>>, 20), [:binary.copy(<<201>>, 9)]},
  %{<<1, 2, 3, 255>> => {1, 2, 3}, {:key, :of, :many, :parts} => [:value, {:of, :many}, :parts]}, Enum.to_list(100..160), {Enum.to_list(100..130), 1},
  [{1, 2} | {3, 4}], [:first, :second, :third | :a_tail_that_is_long], [[1, 2], [3, 4] | [[5, 6], :seven]], [MapSet.new(1..30), MapSet.new([]), 1..2], {MapSet.new([{1, 2}]), :x, :y, :z},
  {1, {2, {3, {4, {5, {6, {7, {8, {9, {10, {11, {12}}}}}}}}}}}}, [1, [2, [3, [4, [5, [6, [7, [8, [9, [10]]]]]]]]]], {[], {}, %{}, "", <<>>}, [[], {}, %{}, MapSet.new([]), 1..2, ~c"a"],
  [{}, {}, {}, {}, {}, {}], [%{}, %{}, [], []], {<<1::1>>, <<2::2>>, [<<3::3>>]}, [{[{[{[:x]}]}]}], %{[1, 2] => %{{3, 4} => [5]}}, [a: 1, b: [1, 2, 3, 4, 5, 6, 7, 8], c: {1, 2, 3, 4, 5, 6}],
  {:"an atom with spaces", "日本語日本語日本語", :ünïcödé, "é"}, [日本: "語", é: "ü"], List.duplicate("日本", 10), [{:a, "x"}, {:b, "y"} | :c], {[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]},
  [[1, 2, 3], 4, 5, 6, 7, 8, 9, 10, 11], [1, 2, 3, 4, 5, 6, 7, 8, 9, [10]], {1.5, -2, 1.0e100, 123456789012345678901234567890}, %{1 => {:a}, 2 => {:b}, 3 => {:c}},
  List.duplicate(%{id: 1, tags: ["x", "y"]}, 4), %{list: Enum.to_list(1..40), tuple: List.to_tuple(Enum.to_list(1..40))}, {~c"charlist", [~c"in", ~c"list"]}, [nil, true, AppB, App.B]]

more = [1..0//1, 5..1//-2, 1..100_000_000_000_000_000_000, Date.range(~D[2024-01-01], ~D[2024-02-01]), Date.range(~D[2024-01-01], ~D[2024-02-01], 7), ~D[-0001-01-01],
  Version.parse!("1.2.3"), Version.parse!("1.2.3-rc.1+build"), Version.parse_requirement!("~> 1.2 and != 1.2.5"), URI.parse("https://user@example.com:8443/a/b?q=1#top"), URI.parse("/only/path"),
  %URI{scheme: "http", host: "h", port: 80}, {:error, %KeyError{key: :a, term: %{b: 1}}}, %UndefinedFunctionError{module: A, function: :f, arity: 1}, %FunctionClauseError{module: A, function: :f, arity: 2},
  %MatchError{term: {:a, 1}}, %CaseClauseError{term: 5}, %BadMapError{term: 1}, %ErlangError{original: :x}, %Protocol.UndefinedError{protocol: Enumerable, value: 1}, %File.Error{reason: :enoent, action: "read file", path: "/x"},
  %BadArityError{function: &Enum.map/2, args: [1]}, MapSet.new([97, 98]), MapSet.new([{:a, 1}]), MapSet.new(1..32), %{set: MapSet.new([MapSet.new([1])])}, [at: ~U[2024-02-29 12:30:00Z], on: ~D[2024-02-29]],
  %{DateTime.from_naive!(~N[2024-02-29 12:30:00], "Etc/UTC") | time_zone: "Europe/Berlin", zone_abbr: "CET", utc_offset: 3600}, %{DateTime.from_naive!(~N[2024-02-29 12:30:00.5], "Etc/UTC") | time_zone: "America/New_York", zone_abbr: "EDT", utc_offset: -18000, std_offset: 3600},
  %{__struct__: "no name", a: 1}, %{:__struct__ => Foo, "not" => "a field"}, "tail is no text" <> <<255>>, String.duplicate("x", 15) <> <<255, 0>>, [97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 233], List.duplicate(97, 12)]

regexes = [~r/foo/, ~r/a\/b/i, ~r{x/y}m, ~r/\n\t\\/, ~r/#\{x}/, ~r/é/u, ~r/a b # c/x, ~r/./s, ~r/x/iU, ~r/new
line/, [~r/one/, %{two: ~r/two/i}]]

terms = Enum.map(atoms, &String.to_atom/1) ++ strings ++ floats ++ integers ++ lists ++ keywords ++ maps ++ tuples ++ bits ++ long ++ structs ++ funs ++ wide ++ more ++ regexes

options = [[], [width: 80], [width: 40], [width: 10], [width: 0], [limit: 5], [limit: 20], [limit: 0], [limit: 5, width: 10], [limit: :infinity, width: 40], [printable_limit: 10],
  [binaries: :as_strings, width: 20], [binaries: :as_binaries, width: 20], [charlists: :as_lists, width: 40], [structs: false, width: 60]]

for term <- terms do
  # What re makes of a pattern is for its own node only.
  options = if term in regexes, do: Enum.drop(options, -1), else: options
  texts = for chosen <- options, do: inspect(term, [pretty: chosen[:width] != nil, custom_options: [sort_maps: true]] ++ chosen)
  IO.puts(Enum.map_join([:erlang.term_to_binary(term) | texts], "\t", &Base.encode64/1))
end
