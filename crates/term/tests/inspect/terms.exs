# Prints `BASE64 TAB TEXT` for each of some 300 terms: the external term format, and what this Elixir's inspect makes of it.
# A text that has more than one line would not be a line here, so newlines in it are written as \n by inspect itself.

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

lists = [[], [1, 2, 3], 'abc', 'a"b', 'a\'b', [0], [7], 'a\nb', [97, 256], [233], 'é', [1, 2 | 3], [:a | :b], [[]], [[], [[]]], ["a", :b, 1.0],
  Enum.to_list(1..49), Enum.to_list(1..50), Enum.to_list(1..51), Enum.to_list(1..100), List.duplicate(97, 100), List.duplicate(:a, 60),
  List.duplicate([1, 2], 60), List.duplicate([:a, :b], 30), Enum.to_list(1..60) ++ [1 | 2], [97 | 98], List.duplicate([[]], 60),
  List.duplicate({1, :x}, 40), [List.duplicate(:x, 30), List.duplicate(:y, 30)], List.duplicate({:a, {:b, :c}}, 30)]

keywords = [[a: 1], [a: 1, b: 2], [{:a, 1}, {"b", 2}], ["a b": 1], [nil: 1, true: 2], [{:"Elixir.A", 1}], [{A, 1}, {:b, 2}], [a: [b: [c: 1]]], [+: 1, "//": 2],
  [{:a, 1} | :b], [a?: 1, b!: 2], [é: 1], ["A": 1], [{:"", 1}], [{:.., 1}], [{:|, 1}], [{:%{}, 1}], [end: 1, do: 2], [{:a, 1, 2}], Enum.map(1..60, &{:k, &1}),
  [_: 1], ["a@b": 1], [{:"app_a@127.0.0.1", 1}], [{:<<>>, 1}], [{:->, 1}], [{:., 1}], [{:..., 1}], [{:..//, 1}], [{:{}, 1}], [{:%, 1}], [{:&, 1}], [{:"::", 1}], [{:"=>", 1}]]

maps = [%{}, %{a: 1}, %{"a" => 1}, %{"a" => 1, b: 2}, %{1 => 2, 1.0 => 3, :a => 4}, %{a: %{b: %{}}}, %{nil => 1}, %{nil: 1, true: 2}, %{A => 1}, %{A => 1, :b => 2},
  %{"a b": 1}, %{{1, 2} => [3]}, %{[1] => 2, "x" => 3, {} => 4, %{} => 5, :a => 6, "b" => <<255>>}, Map.new(1..32, &{&1, &1}), Map.new(1..32, &{:"k#{&1}", &1}),
  %{__struct__: 1}, %{__struct__: :foo}, %{__struct__: nil}, %{__struct__: "x", a: 1},
  %{2 => 1, 1.5 => 2}, %{-1 => 1, 1 => 2}, %{a: 1, B: 2}, %{"é" => 1, é: 2}, %{{:a} => 1, {:b, 1} => 2}, %{[] => 1, [1] => 2, 'b' => 3}, %{<<1::3>> => 1, <<1>> => 2}]

tuples = [{}, {1}, {:ok, 42, "abc"}, {{}, {{}}}, List.to_tuple(Enum.to_list(1..60)), {:a, [b: 1], %{c: 2}}, {'abc', "abc", :abc}, {nil, true, false},
  {:error, %RuntimeError{message: "b"}}, {Enum.to_list(1..30), Enum.to_list(1..30)}, {%{a: Enum.to_list(1..60)}, 1, 2}]

bits = [<<1::1>>, <<5::3>>, <<255, 1::7>>, <<1, 2, 3::4>>, <<0::1>>, <<"abc", 1::2>>]
long = [List.duplicate(97, 5000), :binary.copy("x", 5000), :binary.copy(<<255>>, 49), :binary.copy(<<255>>, 50), :binary.copy(<<255>>, 51), :binary.copy(<<255>>, 100), {:binary.copy(<<255>>, 60), :binary.copy("é", 100)}]
structs = [1..3, 1..10//2, 5..1//-1, MapSet.new([]), MapSet.new([1, 2, :a]), ~D[2024-02-29], ~T[12:30:00], ~T[12:30:00.123], ~N[2024-02-29 12:30:00], ~U[2024-02-29 12:30:00Z], ~U[2024-02-29 12:30:00.123456Z],
  %RuntimeError{message: "x"}, %ArgumentError{}, {:badrpc, {:EXIT, {%RuntimeError{message: "boom"}, [{AppB, :f, 0, [file: 'lib/b.ex', line: 3]}]}}}, %{at: ~D[0001-01-01]}, [~T[00:00:00.000001]]]
funs = [&Enum.map/2, &:lists.map/2, &Kernel.+/2, &:erlang.+/2, &:"my mod".f/1, &A."b c"/0, &A.b?/0, &:a.nil/0, &:a."B"/0, &A.B.c/3]

terms = Enum.map(atoms, &String.to_atom/1) ++ strings ++ floats ++ integers ++ lists ++ keywords ++ maps ++ tuples ++ bits ++ long ++ structs ++ funs

for term <- terms do
  IO.puts([Base.encode64(:erlang.term_to_binary(term)), "\t", inspect(term, width: :infinity)])
end
