# Reads lines from its input, each of three columns in Base64: an expression, what our formatter makes of it, and whether to run it.
# Writes for each a line of three columns in Base64: what Code.string_to_quoted/1 says of the first; whether it says the same of
# the second; and what evaluating it gives, as IEx prints it.
strip = fn quoted ->
  Macro.prewalk(quoted, fn
    {:__block__, _, [one]} -> Macro.prewalk(one, fn {:__block__, _, [inner]} -> inner; other -> other end)
    other -> other
  end)
  |> Macro.prewalk(fn
    {name, _, arguments} -> {name, [], arguments}
    other -> other
  end)
end

read = fn text ->
  try do
    case Code.string_to_quoted(text) do
      {:ok, quoted} -> {"ok", strip.(quoted)}
      {:error, {_, _, ""}} -> {"incomplete", nil}
      {:error, _} -> {"wrong", nil}
    end
  rescue
    _ -> {"wrong", nil}
  end
end

# Two of its functions are macros.
env = Code.env_for_eval(file: "iex")
env = %{env | requires: [Integer | env.requires]}

run = fn text ->
  try do
    {value, _} = Code.eval_string(text, [], env)
    "= " <> inspect(value)
  catch
    kind, reason ->
      {reason, stack} = Exception.blame(kind, reason, __STACKTRACE__)
      Exception.format_banner(kind, reason, stack)
  end
end

{:ok, quiet} = StringIO.open("")

for line <- IO.read(:stdio, :eof) |> String.split("\n", trim: true) do
  [source, formatted, evaluate] = line |> String.split("\t") |> Enum.map(&Base.decode64!/1)
  {outcome, quoted} = read.(source)
  same = if formatted == "", do: "", else: to_string(read.(formatted) == {outcome, quoted})

  result =
    if evaluate == "yes" do
      device = Process.group_leader()
      Process.group_leader(self(), quiet)
      result = run.(source)
      Process.group_leader(self(), device)
      result
    else
      ""
    end

  IO.puts(Enum.map_join([outcome, same, result], "\t", &Base.encode64/1))
end
