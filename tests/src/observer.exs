# Drives Erlang's observer as a user's mouse would, and reads what its windows show. Loaded by the test of observer into the
# node where that runs.
defmodule Gui do
  def available?, do: Enum.all?([:wx, :observer, :observer_wx], &Code.ensure_loaded?/1)

  def start do
    :ok = :observer.start()
    {:dictionary, dictionary} = Process.info(Process.whereis(:observer), :dictionary)
    :wx.set_env(dictionary[:wx_env])
    Process.whereis(:observer)
  end

  # The menu of nodes: its entries are numbered from 1001.
  def choose(node) do
    place = Enum.find_index(elem(state(), 10), &(&1 == node))
    click = {:wxCommand, :command_menu_selected, [], 0, 0}
    place && send(:observer, {:wx, 1001 + place, frame(), [], click})
    shown()
  end

  # The node that is looked at, and what stands in the title and at the bottom.
  def shown, do: {elem(state(), 9), List.to_string(:wxFrame.getTitle(frame())), status()}
  def status, do: List.to_string(:wxStatusBar.getStatusText(elem(state(), 4)))

  def open(title) do
    {place, _panel} = find(title)
    :wxNotebook.setSelection(elem(state(), 5), place)
    title
  end

  # All texts of a page, and all that its process knows, which is what it paints.
  def texts(title), do: title |> find() |> elem(1) |> below()
  def knows(title), do: title |> find() |> elem(1) |> elem(3) |> knowledge()

  # The rows of the page of processes: the last process that it knows holds them.
  def processes do
    {_place, panel} = find("Processes")
    state = panel |> elem(3) |> inside()
    holder = elem(state, tuple_size(state) - 1)
    for row <- 0..(:wxListCtrl.getItemCount(elem(state, 2)) - 1)//1, do: cell(holder, row, 1)
  end

  # The rows of the table of allocators, which come with the second sample.
  def allocators do
    {_place, panel} = find("Memory Allocators")
    table = panel |> elem(3) |> inside() |> elem(5)
    count = :wxListCtrl.getItemCount(table)
    for row <- 0..(count - 1)//1, do: List.to_string(:wxListCtrl.getItemText(table, row))
  end

  # The window of one process; all its pages must be made for it to open.
  def open_process(pid) do
    send(:observer, {:open_link, pid})
    pid
  end

  def process_window(pid) do
    {_place, panel} = find("Processes")
    opened = panel |> elem(3) |> inside() |> elem(7)

    case List.keyfind(opened, pid, 0) do
      {_, window} -> window |> window_pid() |> inside() |> elem(3) |> below()
      nil -> []
    end
  end

  defp window_pid(pid) when is_pid(pid), do: pid
  defp window_pid(object), do: elem(object, 3)

  defp cell(holder, row, column) do
    send(holder, {:get_row, self(), row, column})

    receive do
      {^holder, text} -> to_string(text)
    after
      1000 -> nil
    end
  end

  defp state, do: inside(:observer)
  defp inside(process), do: process |> :sys.get_state() |> Enum.at(1)
  defp frame, do: elem(state(), 1)
  defp knowledge(pid), do: inspect(:sys.get_state(pid), limit: :infinity)

  defp find(title) do
    wanted = String.to_charlist(title)
    panels = Enum.with_index(elem(state(), 7))
    {{_, panel, _}, place} = Enum.find(panels, fn {{_, _, other}, _} -> other == wanted end)
    {place, panel}
  end

  defp below(window) do
    own = List.to_string(:wxWindow.getLabel(window))
    Enum.reject([own | Enum.flat_map(:wxWindow.getChildren(window), &below/1)], &(&1 == ""))
  end
end
