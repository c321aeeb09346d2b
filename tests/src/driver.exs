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

# Heartbeats as libcluster's gossip sends and reads them, plain or with a secret.
defmodule Gossip do
  @group {233, 252, 1, 32}

  def start(port \\ 45892, secret \\ nil, group \\ @group, interface \\ {0, 0, 0, 0}) do
    spawn(fn -> open(port, secret, group, interface) end)
  end

  defp open(port, secret, group, interface) do
    {:ok, socket} =
      :gen_udp.open(port, [
        :binary,
        active: true,
        ip: {0, 0, 0, 0},
        reuseaddr: true,
        broadcast: true,
        multicast_ttl: 1,
        multicast_loop: true,
        multicast_if: interface,
        add_membership: {group, interface}
      ])

    send(self(), :beat)
    loop(socket, port, secret, group)
  end

  defp loop(socket, port, secret, group) do
    receive do
      :beat ->
        :gen_udp.send(socket, group, port, encode(node(), secret))
        Process.send_after(self(), :beat, :rand.uniform(1000))

      {:udp, ^socket, _ip, _port, packet} ->
        with name when is_atom(name) and name not in [nil, node()] <- decode(packet, secret),
             false <- name in Node.list(:connected),
             do: Node.connect(name)

      _ ->
        :ignored
    end

    loop(socket, port, secret, group)
  end

  def encode(name, nil), do: "heartbeat::" <> :erlang.term_to_binary(%{node: name})

  def encode(name, secret) do
    iv = :crypto.strong_rand_bytes(16)
    plain = encode(name, nil)
    count = 16 - rem(byte_size(plain), 16)
    padded = plain <> :binary.copy(<<count>>, count)
    iv <> :crypto.crypto_one_time(:aes_256_cbc, :crypto.hash(:sha256, secret), iv, padded, true)
  end

  def decode(<<"heartbeat::", term::binary>>, nil) do
    case :erlang.binary_to_term(term) do
      %{node: name} -> name
      _ -> nil
    end
  rescue
    ArgumentError -> nil
  end

  def decode(<<iv::binary-size(16), body::binary>>, secret) when secret != nil do
    padded = :crypto.crypto_one_time(:aes_256_cbc, :crypto.hash(:sha256, secret), iv, body, false)
    count = :binary.last(padded)
    {plain, padding} = :erlang.split_binary(padded, byte_size(padded) - count)
    if count <= 16 and padding == :binary.copy(<<count>>, count), do: decode(plain, nil)
  rescue
    _ -> nil
  end

  def decode(_packet, _secret), do: nil
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

# Small calls, and messages as large as is wanted, of which it is told at once when one is there.
defmodule Beside do
  # Registered as `caller`: four that call once a millisecond, until it is told that the large message has arrived.
  def calls(peer) do
    {caller, _} = spawn_monitor(fn -> callers(for(_ <- 1..4, do: spawn_link(fn -> call(peer, []) end))) end)
    Process.register(caller, :caller)
  end

  defp callers(callers) do
    receive do: (:arrived -> for(caller <- callers, do: send(caller, {:arrived, self()})))
    times = for _ <- callers, do: receive(do: ({:times, times} -> times))
    receive do: ({:times, from} -> send(from, {:times, Enum.concat(times)}))
  end

  defp call(peer, times) do
    receive do
      # The last one met the arrival.
      {:arrived, from} -> send(from, {:times, Enum.drop(times, 1)})
    after
      1 ->
        begun = System.monotonic_time(:microsecond)
        7 = :erpc.call(peer, Test, :echo, [7])
        call(peer, [System.monotonic_time(:microsecond) - begun | times])
    end
  end

  # In microseconds, as text.
  def times do
    send(:caller, {:times, self()})
    receive do: ({:times, times} -> Enum.join(times, " "))
  end

  # Takes large messages; answers whether they are `chunk` again and again.
  def sink(chunk) do
    receive do
      {from, content} ->
        send(from, :arrived)
        if Process.whereis(:caller), do: send(:caller, :arrived)
        send(from, {:same, content == :binary.copy(chunk, div(byte_size(content), byte_size(chunk)))})
    end

    sink(chunk)
  end

  # Gives the milliseconds until it was there, and whether it was the same.
  def send_large(peer, content) do
    begun = System.monotonic_time(:millisecond)
    send({:large, peer}, {self(), content})
    receive do: (:arrived -> if(Process.whereis(:caller), do: send(:caller, :arrived)))
    took = System.monotonic_time(:millisecond) - begun
    receive do: ({:same, same} -> {took, same})
  end
end

IO.puts("\x01ready")
Driver.loop([])
