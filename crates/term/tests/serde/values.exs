# Gets pairs of a name and a term in Base64, written from Rust. Says of each whether it is what Elixir itself has under that
# name, and sends back its own: lines of "ok NAME BASE64" or "wrong NAME TEXT".

defmodule MyApp.User do
  defstruct [:name, :age, tags: []]
end

defmodule MyApp.Gone do
  defexception [:message]
end

# By way of a variable, since structs are not known while the code that defines them is still being compiled.
user = struct!(MyApp.User, name: "Zoë", age: 36, tags: [:a])
berlin = %{~U[2024-07-01 12:00:00.5Z] | time_zone: "Europe/Berlin", zone_abbr: "CEST", utc_offset: 3600, std_offset: 3600}
set = MapSet.new([1, 2, 3])

equal = fn own -> {own, &(&1 === own)} end

own = %{
  "date" => {~D[2024-02-29], &(&1 === ~D[2024-02-29] and Date.compare(&1, ~D[2024-02-29]) == :eq and Date.add(&1, 1) == ~D[2024-03-01])},
  "early" => equal.(~D[-0044-03-15]),
  "time" => {~T[23:59:59.120], &(&1 === ~T[23:59:59.120] and Time.to_iso8601(&1) == "23:59:59.120")},
  "naive" => equal.(~N[2024-02-29 12:30:00.000001]),
  "utc" => {~U[2024-02-29 12:30:00Z], &(&1 === ~U[2024-02-29 12:30:00Z] and DateTime.to_unix(&1) == 1_709_209_800)},
  "berlin" => equal.(berlin),
  "range" => {1..10, &(&1 === 1..10 and Enum.sum(&1) == 55)},
  "steps" => {10..1//-3, &(&1 === 10..1//-3 and Enum.to_list(&1) == [10, 7, 4, 1])},
  "set" => {set, fn value ->
    MapSet.equal?(value, set) and MapSet.equal?(set, value) and MapSet.size(value) == 3 and
      MapSet.member?(value, 2) and not MapSet.member?(value, 4) and
      Enum.sort(value) == [1, 2, 3] and MapSet.subset?(value, set) and
      MapSet.equal?(MapSet.union(value, set), set) and MapSet.equal?(MapSet.union(set, value), set) and
      MapSet.equal?(MapSet.intersection(value, set), set) and MapSet.disjoint?(MapSet.difference(value, set), set) and
      MapSet.equal?(MapSet.put(value, 4), MapSet.put(set, 4)) and MapSet.equal?(MapSet.delete(value, 3), MapSet.new([1, 2])) and
      inspect(value) == inspect(set)
  end},
  "user" => equal.(user),
  "gone" => {MyApp.Gone.exception(message: "away"), fn value ->
    is_exception(value) and Exception.message(value) == "away" and
      (try do raise value rescue error -> error === value end)
  end},
  "keyword" => {[port: 4369, up: true, "a b": nil], &(Keyword.keyword?(&1) and &1 === [port: 4369, up: true, "a b": nil])},
  "options" => {[port: 1, up: false], &(Keyword.fetch!(&1, :port) == 1 and Keyword.get(&1, :up) == false)},
  "charlist" => equal.([104, 233, 26085]),
  "variant" => equal.({:circle, 2.5}),
  "plain" => equal.(%{id: 1, text: "é", bytes: <<0, 255>>, list: [0, 255], none: nil, undefined: :undefined, atom: :ok, pair: {1, "x"}}),
  "integers" => equal.([0, -1, 255, 256, -2_147_483_649, 9_223_372_036_854_775_807, 18_446_744_073_709_551_615, 170_141_183_460_469_231_731_687_303_715_884_105_727]),
  "rest" => equal.(%{name: "x", at: {1, 2}, other: [:a | :b]})
}

missing = Map.keys(own) -- (System.argv() |> Enum.take_every(2))
if missing != [], do: IO.puts("wrong #{Enum.join(missing, ",")} never came")

for [name, bytes] <- Enum.chunk_every(System.argv(), 2) do
  value = bytes |> Base.decode64!() |> :erlang.binary_to_term()
  {term, check} = Map.fetch!(own, name)

  if check.(value) do
    IO.puts("ok #{name} #{Base.encode64(:erlang.term_to_binary(term))}")
  else
    IO.puts("wrong #{name} #{inspect(value)}")
  end
end
