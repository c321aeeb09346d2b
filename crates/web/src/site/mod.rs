//! What all pages stand on: the server, who may enter, the frame of a page, and how an open page is kept up to date.
