# Reads one Elixir expression a line, evaluates it, prints what came of it on one line
# that begins with \x01. Ends when its input does, so it never outlives the test.
defmodule Driver do
  def loop(binding) do
    case IO.gets("") do
      line when is_binary(line) ->
        {tag, text, binding} = evaluate(line, binding)
        IO.puts("\x01#{tag} #{String.replace(text, "\n", " ")}")
        loop(binding)

      _ ->
        System.halt(0)
    end
  end

  defp evaluate(line, binding) do
    {value, binding} = Code.eval_string(line, binding)
    {"ok", show(value), binding}
  catch
    kind, reason -> {"raised", show({kind, reason}), binding}
  end

  defp show(value), do: inspect(value, limit: :infinity, printable_limit: :infinity, width: :infinity)
end

# Heartbeats as libcluster's gossip sends and reads them.
defmodule Gossip do
  @group {233, 252, 1, 32}

  def start(port \\ 45892), do: spawn(fn -> open(port) end)

  defp open(port) do
    {:ok, socket} =
      :gen_udp.open(port, [
        :binary,
        active: true,
        ip: {0, 0, 0, 0},
        reuseaddr: true,
        broadcast: true,
        multicast_ttl: 1,
        multicast_loop: true,
        add_membership: {@group, {0, 0, 0, 0}}
      ])

    send(self(), :beat)
    loop(socket, port)
  end

  defp loop(socket, port) do
    receive do
      :beat ->
        packet = ["heartbeat::", :erlang.term_to_binary(%{node: node()})]
        :gen_udp.send(socket, @group, port, packet)
        Process.send_after(self(), :beat, :rand.uniform(1000))

      {:udp, ^socket, _ip, _port, <<"heartbeat::", term::binary>>} ->
        with %{node: name} when is_atom(name) and name != node() <- decode(term),
             false <- name in Node.list(:connected),
             do: Node.connect(name)

      _ ->
        :ignored
    end

    loop(socket, port)
  end

  defp decode(binary) do
    :erlang.binary_to_term(binary)
  rescue
    ArgumentError -> :junk
  end
end

defmodule AppB do
  def hello, do: :world
  def add(a, b), do: a + b
  def boom, do: raise("boom")
end

defmodule Echo do
  use GenServer
  def init(state), do: {:ok, state}
  def handle_call({:echo, term}, _from, state), do: {:reply, term, state}
end

IO.puts("\x01ready")
Driver.loop([])
